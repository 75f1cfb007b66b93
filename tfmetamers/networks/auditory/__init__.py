"""Networks of sounds: word networks of any architecture, VGGish and DeepSpeech."""
