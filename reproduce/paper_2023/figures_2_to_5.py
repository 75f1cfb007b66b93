"""Figures 2 to 5 and Extended Data Figure 4: the curves of each experiment."""

from tfmetamers.reproduce.paper_2023.curves import Claim, Panel, RecognitionCurves

_UNRECOGNISABLE = (
    "metamers of late stages are hardly recognisable to people, though the network itself recognises them."
)
_PANEL = "The release does not tell which panel of the paper's figure this is."

_RESNET = "resnet50"
_ALEXNET = "alexnet"
_CNN, _COCHRESNET = "kell2018", "cochresnet50"


def _each(domain: str, experiment: int, *models: str) -> list[Panel]:
    """Return a panel for each model."""
    return [Panel(domain, experiment, (model,)) for model in models]


def _trained(domain: str, experiment: int, standard: str, helped: tuple[str, ...], random: tuple[str, ...]):
    """Return the panel of a network and its variants, and what the paper says of them."""
    panel = Panel(domain, experiment, (standard, *helped, *random))
    claims = [Claim(panel, each, standard, is_higher=True) for each in helped]
    return panel, [*claims, *(Claim(panel, each, standard, is_higher=False) for each in random)]


def _adversarial(name: str, title: str, *groups) -> RecognitionCurves:
    """Return a figure on adversarial training."""
    return RecognitionCurves(
        name,
        title,
        "adversarial training makes metamers of late stages more recognisable to people; random perturbations of the "
        "same size do not.",
        [panel for panel, _ in groups],
        [claim for _, claims in groups for claim in claims],
        (f"{_PANEL} Experiments are numbered as in the release.",),
    )


FIGURES_2_TO_5 = (
    RecognitionCurves(
        "figure-2c",
        "Recognition of metamers of standard vision models",
        _UNRECOGNISABLE,
        _each("vision", 1, "cornet_s", "vgg_19", _RESNET, "resnet101", _ALEXNET),
    ),
    RecognitionCurves(
        "figure-2d",
        "Recognition of metamers of vision models that were trained on large data sets",
        _UNRECOGNISABLE,
        _each(
            "vision",
            12,
            "CLIP_resnet50",
            "CLIP_ViT-B_32",
            "SWSL_resnet50",
            "SWSL_resnext101_32x8d",
            "vision_transformer_vit_large_patch16_224",
        ),
    ),
    RecognitionCurves(
        "figure-2-sounds",
        "Recognition of metamers of standard sound models",
        _UNRECOGNISABLE,
        _each("audio", 1, _CNN, _COCHRESNET),
        differences=(_PANEL,),
    ),
    RecognitionCurves(
        "figure-3c",
        "Recognition of metamers of self-supervised ResNet-50s",
        _UNRECOGNISABLE,
        [Panel("vision", 5, (_RESNET, "resnet50_simclr", "resnet50_moco_v2", "resnet50_byol"))],
    ),
    RecognitionCurves(
        "figure-3d",
        "Recognition of metamers of a self-supervised AlexNet and its supervised twin",
        _UNRECOGNISABLE,
        [
            Panel(
                "vision",
                16,
                ("konkle_alexnetgn_ipcl_ref12_supervised_ipcl_aug", "konkle_alexnetgn_ipcl_ref01_primary_model"),
            )
        ],
    ),
    RecognitionCurves(
        "figure-3-stylized",
        "Recognition of metamers of networks that were trained on Stylized-ImageNet",
        _UNRECOGNISABLE,
        [
            Panel("vision", 10, (_RESNET, "texture_shape_resnet50_trained_on_SIN")),
            Panel("vision", 10, (_ALEXNET, "texture_shape_alexnet_trained_on_SIN")),
        ],
        differences=(_PANEL,),
    ),
    _adversarial(
        "figure-4",
        "Recognition of metamers of vision models after adversarial training",
        _trained(
            "vision",
            3,
            _RESNET,
            ("resnet50_l2_3_robust", "resnet50_linf_4_robust", "resnet50_linf_8_robust"),
            ("resnet50_random_l2_perturb", "resnet50_random_linf8_perturb"),
        ),
        _trained(
            "vision",
            4,
            _ALEXNET,
            ("alexnet_l2_3_robust", "alexnet_linf_8_robust"),
            ("alexnet_random_l2_3_perturb", "alexnet_random_linf8_perturb"),
        ),
    ),
    _adversarial(
        "figure-5-waveform",
        "Recognition of metamers of sound models after adversarial training in the waveform",
        _trained(
            "audio",
            4,
            _CNN,
            (f"{_CNN}_l2_1_robust_waveform", f"{_CNN}_linf_p002_robust_waveform"),
            (f"{_CNN}_l2_1_random_step_waveform", f"{_CNN}_linf_p002_random_step_waveform"),
        ),
        _trained(
            "audio",
            3,
            _COCHRESNET,
            tuple(f"{_COCHRESNET}_{kind}_robust_waveform" for kind in ("l2_1", "l2_p5", "linf_p002")),
            (f"{_COCHRESNET}_l2_1_random_step_waveform", f"{_COCHRESNET}_linf_p002_random_step_waveform"),
        ),
    ),
    _adversarial(
        "figure-5-cochleagram",
        "Recognition of metamers of sound models after adversarial training in the cochleagram",
        *(
            _trained(
                "audio",
                experiment,
                name,
                (f"{name}_l2_1_robust_cochleagram", f"{name}_l2_p5_robust_cochleagram", f"{name}_l2_1_robust_waveform"),
                (f"{name}_l2_1_random_step_cochleagram",),
            )
            for experiment, name in ((8, _CNN), (7, _COCHRESNET))
        ),
    ),
    RecognitionCurves(
        "figure-ed4",
        "Recognition of metamers of models that were built by hand",
        _UNRECOGNISABLE,
        [Panel("vision", 6, ("hmax_standard",)), Panel("audio", 6, ("spectemp_filters",))],
        differences=("The release places HMAX in Extended Data Figure 4, and does not tell where Spectemp is.",),
    ),
)
