//! Figures as text.

/// From here on a figure is written with an exponent. Without one the largest have three
/// hundred digits, which take longer to find than all the rest of a row, and plugins choose
/// the figures.
const LONG: f64 = 1e15;

/// A figure with so many decimals; 0 for one that is not finite.
pub(super) fn fixed(figure: f64, decimals: usize) -> String {
    let figure = if figure.is_finite() { figure } else { 0.0 };
    match figure.abs() < LONG {
        true => format!("{figure:.decimals$}"),
        false => format!("{figure:e}"),
    }
}

/// A figure with as many decimals as it needs, at most six.
pub(super) fn short(figure: f64) -> String {
    let text = fixed(figure, 6);
    match text.contains('.') && !text.contains('e') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_figure_has_the_decimals_that_it_needs() {
        for (figure, text) in [
            (1500.0, "1500"),
            (1.2, "1.2"),
            (0.1 + 0.2, "0.3"),
            (1e20, "1e20"),
        ] {
            assert_eq!(short(figure), text);
        }
    }

    #[test]
    fn a_figure_is_short_however_large_it_is() {
        for (figure, decimals, text) in [
            (1234.5678, 3, "1234.568"),
            (-0.5, 0, "-0"),
            (999_999_999_999_999.0, 1, "999999999999999.0"),
            (1.5e300, 3, "1.5e300"),
            (-f64::MAX, 0, "-1.7976931348623157e308"),
            (f64::NAN, 1, "0.0"),
            (f64::INFINITY, 0, "0"),
        ] {
            assert_eq!(fixed(figure, decimals), text);
        }
    }
}
