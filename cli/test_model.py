"""``tfmetamers test-model``: how recognisable a model's metamers are, layer by layer."""

from pathlib import Path

import click

from tfmetamers.cli.experiment import engine_options, limit_own_threads, run_experiment
from tfmetamers.cli.network_options import (
    NOTATION_EPILOG,
    complete_layer,
    complete_network,
    model_options,
    parse_network,
)
from tfmetamers.cli.output import json_option, say, warn
from tfmetamers.cli.reproduce import chosen_engine
from tfmetamers.model_test.plan import RECIPES
from tfmetamers.networks.spec import NetworkSpec
from tfmetamers.stimuli.sounds import FITS


@click.command(epilog=NOTATION_EPILOG)
@click.argument("text", metavar="NETWORK", shell_complete=complete_network)
@click.option(
    "--layer",
    "layers",
    multiple=True,
    shell_complete=complete_layer,
    help="A layer's name; can be given several times. [default: all; with --quick, four]",
)
@click.option(
    "--stimuli",
    multiple=True,
    type=click.Path(exists=True),
    help="File, folder or manifest of natural stimuli. [default: those that come with the package]",
)
@click.option(
    "--null-stimuli",
    multiple=True,
    type=click.Path(exists=True),
    help="Natural stimuli of the null distribution. [default: the stimuli]",
)
@click.option("--fit", type=click.Choice(FITS), help="Fit sounds of another length to the model's.")
@click.option(
    "--recipe",
    type=click.Choice(RECIPES),
    default=RECIPES[0],
    show_default=True,
    help="The paper whose recipe is used.",
)
@click.option(
    "--by",
    "judges",
    multiple=True,
    metavar="NETWORK",
    shell_complete=complete_network,
    help="A judge; can be given several times. [default: networks that are at hand]",
)
@click.option("--steps", type=click.IntRange(min=1), help="Number of optimiser steps. [default: the recipe's]")
@click.option("--count", type=click.IntRange(min=1), help="How many of the stimuli are drawn. [default: all]")
@click.option("--quick", is_flag=True, help="Few layers, stimuli and steps, for a first look.")
@model_options
@click.option(
    "--output", type=click.Path(file_okay=False, path_type=Path), default=Path("model_test"), show_default=True
)
@click.option("--write-only", is_flag=True, help="Write the experiment's file, to run it on a cluster; make nothing.")
@engine_options
@json_option
def test_model(text, layers, stimuli, null_stimuli, fit, recipe, judges, steps, count, quick, output, write_only,
               labels, input_range, logits, input, signature, domain, sampling_rate, **engine):  # fmt: skip
    """Test how recognisable the metamers of NETWORK are, layer by layer, to itself and to other networks.

    Makes metamers, null distributions and verdicts, shows the metamers to judges, and writes a page with the curve of
    recognition by layer beside the published curves of people. What was stopped is continued by the same command.
    """
    fields = {"input_range": input_range, "logits": logits, "input": input, "signature": signature, "domain": domain,
              "sampling_rate": sampling_rate}  # fmt: skip
    model = parse_network(text, labels=labels, **fields)
    from tfmetamers.model_test.plan import Choices
    from tfmetamers.model_test.test import ModelTest

    choices = Choices(
        layers=layers,
        stimuli=stimuli,
        null_stimuli=null_stimuli,
        fit=fit,
        recipe=recipe,
        judges=[NetworkSpec.parse(judge) for judge in judges] or None,
        steps=steps,
        count=count,
        quick=quick,
    )
    engine = chosen_engine("quick" if quick else "full", engine)
    limit_own_threads(**engine)
    test = ModelTest(model, output, choices)
    test.write()
    for name, reason in test.panel.left_out:
        warn(f"{name} is no judge: {reason}.")
    if write_only:
        say(f"Wrote {test.experiment_file}; run it ('tfmetamers experiment'), then give the same command again.")
        return 0
    status = run_experiment(test.experiment_file, **engine)
    outcome = test.conclude()
    say("")
    for answer in outcome.answers:
        say(answer)
    say(f"Open {outcome.page}.")
    return status
