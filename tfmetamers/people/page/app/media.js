"use strict";
// Images and sounds, all loaded and decoded before the first trial.
(metamers => {
  const loaded = new Map();

  const stimulusPath = (experiment, id) => `stimuli/${id}.${experiment.task === "images" ? "png" : "wav"}`;
  const maskPath = mask => `masks/${String(mask).padStart(3, "0")}.png`;

  const loadImage = async path => {
    const image = new Image();
    image.src = path;
    image.alt = "";
    image.draggable = false;
    await image.decode();
    loaded.set(path, image);
  };

  /** From a file:// page a browser fetches nothing; there each sound comes as a script that holds it in base64. */
  const embedded = path => new Promise((resolve, reject) => {
    const id = path.match(/([0-9a-f]+)\.wav$/)[1];
    const script = metamers.make("script", { src: path.replace(/wav$/, "js") });
    script.onerror = reject;
    script.onload = () => {
      resolve(Uint8Array.from(atob(window.TFMETAMERS_STIMULI[id]), letter => letter.charCodeAt(0)).buffer);
      delete window.TFMETAMERS_STIMULI[id];
      script.remove();
    };
    document.head.append(script);
  });

  const fetched = async path => {
    const answer = await fetch(path);
    if (!answer.ok) throw new Error(answer.statusText);
    return answer.arrayBuffer();
  };

  /** The file's bytes are kept, not the samples, which take five times the memory at the rate of the output. */
  const loadSound = async (path, save) => {
    const bytes = await (save.kind === "offline" ? embedded(path) : fetched(path));
    loaded.set(path, bytes);
    await metamers.audioContext().decodeAudioData(bytes.slice(0));
  };

  /** Loads what trials need, a few files at a time; throws an Error with the name of a file that cannot be had. */
  metamers.load = async (experiment, trials, onProgress) => {
    const paths = new Set(trials.map(trial => stimulusPath(experiment, trial.stimulus)));
    for (const { mask } of trials) if (mask !== null) paths.add(maskPath(mask));
    const waiting = [...paths];
    let done = 0;
    const worker = async () => {
      for (let path; (path = waiting.shift()); onProgress(++done, paths.size))
        await (path.endsWith(".wav") ? loadSound(path, experiment.save) : loadImage(path)).catch(() => {
          throw new Error(path);
        });
    };
    await Promise.all(Array.from({ length: 4 }, worker));
  };

  metamers.image = id => loaded.get(`stimuli/${id}.png`);
  metamers.mask = number => loaded.get(maskPath(number));
  metamers.sound = id => metamers.audioContext().decodeAudioData(loaded.get(`stimuli/${id}.wav`).slice(0));
})(window.metamers ||= {});
