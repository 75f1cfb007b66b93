"""Published networks as docs/networks_of_others.md makes them, against what their authors' files say."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tensorflow as tf

from tests.golden import SHARED, needs_shared

v1 = tf.compat.v1
NETWORKS = SHARED / "data/networks"
DOCUMENT = Path(__file__).parents[2] / "docs/networks_of_others.md"

pytestmark = [needs_shared, pytest.mark.slow]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The names of the document's code, run where the files are."""
    folder = tmp_path_factory.mktemp("files")
    for file in (*(NETWORKS / "kws_12_words").iterdir(), *(NETWORKS / "yamnet").iterdir()):
        (folder / file.name).exists() or (folder / file.name).symlink_to(file)
    names = {}
    blocks = re.findall(r"^```python\n(.*?)^```", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for block in blocks:
            exec(block, names)
    return names


@pytest.fixture(scope="module")
def recordings():
    with np.load(SHARED / "data/speech_commands_test/speech_commands_test_480.npz", allow_pickle=False) as file:
        return file["waveforms"], file["labels"]


@pytest.mark.parametrize(("name", "file"), [("ds_cnn", "DS_CNN_L"), ("cnn", "CNN_L"), ("crnn", "CRNN_L")])
def test_answers_are_those_of_the_published_graph(made, recordings, name, file):
    waveforms = recordings[0][::24]
    ours = made[name].logits(waveforms.astype(np.float32) / 2**15).numpy()
    ours = tf.nn.softmax(ours).numpy() if name == "crnn" else ours
    graph = v1.GraphDef.FromString((NETWORKS / "kws_12_words" / f"arm_{file}.pb").read_bytes())
    with tf.Graph().as_default(), v1.Session() as session:
        tf.graph_util.import_graph_def(graph, name="")
        for waveform, answer in zip(waveforms, ours, strict=True):
            stream = io.BytesIO()
            soundfile.write(stream, waveform, 16000, format="WAV", subtype="PCM_16")
            published = session.run("labels_softmax:0", {"wav_data:0": stream.getvalue()})[0]
            assert np.abs(answer - published).max() < 1e-5


@pytest.mark.parametrize(("name", "least"), [("ds_cnn", 0.91), ("cnn", 0.87), ("crnn", 0.91)])
def test_most_words_are_recognised(made, recordings, name, least):
    waveforms, labels = recordings
    answers = made[name].logits(waveforms.astype(np.float32) / 2**15).numpy().argmax(-1)
    assert (answers == labels).mean() > least


def test_yamnet_answers_as_its_file_for_phones_does(made):
    waveform, _ = soundfile.read(NETWORKS / "yamnet/dog_975ms.wav", dtype="float32")
    padded = np.pad(waveform, 200)
    interpreter = tf.lite.Interpreter(str(NETWORKS / "yamnet/yamnet.tflite"))
    interpreter.allocate_tensors()
    [given], outputs = interpreter.get_input_details(), interpreter.get_output_details()
    interpreter.set_tensor(given["index"], waveform.reshape(given["shape"]))
    interpreter.invoke()
    published = next(np.ravel(interpreter.get_tensor(each["index"])) for each in outputs if each["shape"][-1] == 521)
    ours = tf.sigmoid(made["yamnet"].logits(padded[None])).numpy()[0]
    assert ours.argmax() == published.argmax()
    assert np.abs(ours - published).max() < 0.15


@pytest.mark.parametrize(("name", "layer"), [("crnn", "recurrent"), ("yamnet", "layer3")])
def test_metamers_come_nearer(made, recordings, name, layer):
    import tfmetamers as tm

    sound = recordings[0][100].astype(np.float32) / 2**15
    metamer = tm.synthesize(made[name], sound, layer=layer, steps=40)
    assert metamer.losses[-1] < metamer.losses[0] / 2
