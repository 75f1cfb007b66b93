"""A metamer of 6 x 8 pixels and its record, as synthesis would give them."""

from typing import Any

import numpy as np

from tfmetamers.metamers import Metamer, MetamerRecord, RunRecord
from tfmetamers.metamers.record import ComputationRecord, LayerRecord, LossRecord, StimulusRecord
from tfmetamers.networks import NetworkRecord, NetworkSpec
from tfmetamers.recipes import find_recipe
from tfmetamers.stimuli.domains import Domain, Images

RUN = RunRecord(seconds=1.5, finished="2026-01-31T12:00:00+00:00", host="here")


def a_network_record(text: str = "vgg_19:random:3", domain: Domain | None = None, **changes: Any) -> NetworkRecord:
    """Return the record of the network that a text names."""
    spec, domain = NetworkSpec.parse(text), Images(6, 8) if domain is None else domain
    fields = {
        "name": spec.name,
        "domain": domain.to_json(),
        "stimulus_shape": domain.shape,
        "layers": ("conv1_2", "conv2_2"),
        "recipe": "feather2019-image",
        "source": "random",
        "digest": "ab12",
        "file": None,
        "seed": spec.random_seed,
        "input_range": None,
        "architecture": None,
        "note": "",
        "spec": spec,
        "spec_digest": "",
    }
    return NetworkRecord(**fields | changes)


def a_record(stimulus: dict[str, Any] | None = None, **changes: Any) -> MetamerRecord:
    """Return a record; changes of the stimulus's record are given as a dictionary."""
    natural = {
        "sha256": "cd34",
        "id": "dog/1",
        "file": "1.png",
        "file_sha256": "ef56",
        "label": "beagle",
        "category": "dog",
    }
    record = MetamerRecord(
        network=a_network_record(),
        layer=LayerRecord("conv1_2", "vgg_19/conv1/conv1_2/Relu:0", (6, 8, 64), "straight-through (1 ReLU)", ("Relu",)),
        stimulus=StimulusRecord(**natural | (stimulus or {})),
        recipe=find_recipe("feather2019-image").replace(steps=20),
        seed=0,
        kernels="quick",
        asked_kernels=None,
        initial=None,
        computation=ComputationRecord(deterministic=True, threads=2, batch_size=4, place=1),
        loss=LossRecord(initial=100.0, final=0.5, final_exact=0.25),
        initial_correlation=0.2,
        correlation=0.9,
        prediction={
            "original": {"index": 162, "label": "beagle"},
            "metamer": {"index": 163, "label": "beagle, or nearly"},
        },
        warnings=(),
        versions={"tfmetamers": "1.0"},
    )
    return record.replace(**changes)


def a_metamer(steps: int = 20, record: MetamerRecord | None = None) -> Metamer:
    """Return a metamer of random numbers."""
    generator = np.random.default_rng(steps)
    return Metamer(
        stimulus=generator.random((6, 8, 3), np.float32),
        original=(generator.integers(0, 256, (6, 8, 3)) / 255.0).astype(np.float32),
        losses=generator.random(steps + 1, np.float32) * 1e10,
        learning_rates=(1e-3 * 0.95 ** (np.arange(steps + 1) / 1000)).astype(np.float32),
        record=a_record() if record is None else record,
        seconds=1.5,
    )
