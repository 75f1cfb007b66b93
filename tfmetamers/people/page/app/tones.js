"use strict";
// Sounds made in the page: the tones of the headphone check (Woods et al. 2017), and the noise that sets the level.
(metamers => {
  const RATE = 32768;

  /** A whole number from 0 below 2^32, the same for the same text (FNV-1a). */
  const hash = text => Array.from(text).reduce((value, letter) =>
    Math.imul(value ^ letter.codePointAt(0), 16777619) >>> 0, 2166136261);

  /** I: in phase. S: in phase and 6 dB softer, the answer. O: opposite phase, cancelled over loudspeakers. */
  const ORDERS = ["ISO", "IOS", "SOI", "SIO", "OSI", "OIS"];

  /** The order of the tones in each trial of a session's headphone check, drawn with replacement. */
  metamers.toneOrders = (session, trials) =>
    Array.from({ length: trials }, (_, trial) => ORDERS[hash(`${session} ${trial}`) % ORDERS.length]);

  /** Three tones of 200 Hz and 1 s, 0.5 s apart, with raised cosines of 100 ms at both ends; I and O at this RMS. */
  metamers.tones = (order, rms) => {
    const buffer = new AudioBuffer({ numberOfChannels: 2, length: 4 * RATE, sampleRate: RATE });
    const [left, right] = [buffer.getChannelData(0), buffer.getChannelData(1)];
    Array.from(order).forEach((kind, position) => {
      const amplitude = Math.SQRT2 * rms * (kind === "S" ? 0.5 : 1);
      for (let index = 0; index < RATE; index++) {
        const edge = Math.min(index, RATE - index) / RATE / 0.1;
        const window = edge < 1 ? 0.5 - 0.5 * Math.cos(Math.PI * edge) : 1;
        const value = amplitude * window * Math.sin(2 * Math.PI * 200 * index / RATE);
        const at = Math.round(position * 1.5 * RATE) + index;
        left[at] = value;
        right[at] = kind === "O" ? -value : value;
      }
    });
    return buffer;
  };

  /** The discrete Fourier transform of a power of two of values, in place (Cooley and Tukey). */
  const transform = (real, imaginary) => {
    const size = real.length;
    for (let index = 1, reversed = 0; index < size; index++) {
      let bit = size >> 1;
      for (; reversed & bit; bit >>= 1) reversed ^= bit;
      reversed ^= bit;
      if (index < reversed) {
        [real[index], real[reversed]] = [real[reversed], real[index]];
        [imaginary[index], imaginary[reversed]] = [imaginary[reversed], imaginary[index]];
      }
    }
    for (let half = 1; half < size; half *= 2)
      for (let offset = 0; offset < half; offset++) {
        const [cosine, sine] = [Math.cos(Math.PI * offset / half), -Math.sin(Math.PI * offset / half)];
        for (let even = offset; even < size; even += 2 * half) {
          const odd = even + half;
          const product = [real[odd] * cosine - imaginary[odd] * sine, real[odd] * sine + imaginary[odd] * cosine];
          real[odd] = real[even] - product[0];
          imaginary[odd] = imaginary[even] - product[1];
          real[even] += product[0];
          imaginary[even] += product[1];
        }
      }
  };

  /** Two seconds of pink noise from 50 Hz to 8 kHz, at this RMS, the same in both ears; it repeats without a seam. */
  metamers.noise = rms => {
    const size = 2 * RATE;
    const [real, imaginary] = [new Float64Array(size), new Float64Array(size)];
    for (let bin = 2 * 50; bin <= 2 * 8000; bin++) {
      const phase = 2 * Math.PI * Math.random();
      real[bin] = Math.cos(phase) / Math.sqrt(bin);
      imaginary[bin] = Math.sin(phase) / Math.sqrt(bin);
    }
    transform(real, imaginary);
    const power = real.reduce((sum, value) => sum + value * value, 0) / size;
    const buffer = new AudioBuffer({ numberOfChannels: 1, length: size, sampleRate: RATE });
    buffer.copyToChannel(Float32Array.from(real, value => value * rms / Math.sqrt(power)), 0);
    return buffer;
  };
})(window.metamers ||= {});
