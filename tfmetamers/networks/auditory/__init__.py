"""Networks that take sounds: word networks of any architecture, VGGish and DeepSpeech."""
