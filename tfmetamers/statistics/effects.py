"""An effect of an analysis of variance: its F value, its size, and its probability under no effect."""

from dataclasses import dataclass, field

from tfmetamers.errors import unknown_name
from tfmetamers.statistics.sphericity import Epsilons

#: The corrections of degrees of freedom, as `Effect.p` takes them.
CORRECTIONS = ("greenhouse_geisser", "huynh_feldt", "lower_bound")


@dataclass(frozen=True)
class Effect:
    """An effect.

    Attributes:
        name: the factor, or the factors of an interaction, joined by an x between spaces.
        sum_of_squares: its sum of squares.
        error: the sum of squares of its error term.
        df: its degrees of freedom.
        df_error: those of the error term.
        epsilons: corrections for sphericity; 1 for effects of one degree of freedom, and between participants.

    >>> effect = Effect("stage", sum_of_squares=56.0, error=6.0, df=2, df_error=6)
    >>> effect.f, round(effect.partial_eta_squared, 3), f"{effect.p():.4f}"
    (28.0, 0.903, '0.0009')
    """

    name: str
    sum_of_squares: float
    error: float
    df: int
    df_error: int
    epsilons: Epsilons = field(default_factory=Epsilons)

    @property
    def f(self) -> float:
        """The F value; infinite where the error term alone is zero, and zero where the effect is."""
        if self.sum_of_squares == 0:
            return 0.0
        mean_square = self.sum_of_squares / self.df
        return mean_square / (self.error / self.df_error) if self.error > 0 else float("inf")

    @property
    def partial_eta_squared(self) -> float:
        """The share of the variance that is not another effect's, from 0 to 1."""
        total = self.sum_of_squares + self.error
        return self.sum_of_squares / total if total > 0 else 0.0

    def p(self, correction: str | None = None) -> float:
        """Return the probability of an F value at least as large if there is no effect, by the F distribution.

        Args:
            correction: one of `CORRECTIONS`, which multiplies both degrees of freedom; None for no correction.

        Raises:
            ArgumentError: the correction is another.
        """
        from scipy.stats import f

        if correction is not None and correction not in CORRECTIONS:
            raise unknown_name("correction", correction, CORRECTIONS)
        epsilon = getattr(self.epsilons, correction) if correction else 1.0
        return float(f.sf(self.f, epsilon * self.df, epsilon * self.df_error))
