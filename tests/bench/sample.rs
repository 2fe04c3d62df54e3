//! Samples of one arm, and their medians and ranges.

use std::time::Duration;

/// Figures of one arm in the order in which they were taken.
#[derive(Debug, Clone, Default)]
pub struct Samples {
    figures: Vec<f64>,
}

impl Samples {
    /// Adds a figure.
    pub fn push(&mut self, figure: f64) {
        self.figures.push(figure);
    }

    /// Adds a duration in milliseconds.
    pub fn push_time(&mut self, time: Duration) {
        self.push(time.as_secs_f64() * 1000.0);
    }

    /// The figures.
    pub fn figures(&self) -> &[f64] {
        &self.figures
    }

    /// The figure that this share (0 to 1) does not exceed; NaN without figures.
    pub fn quantile(&self, share: f64) -> f64 {
        let mut sorted = self.figures.clone();
        sorted.sort_by(f64::total_cmp);
        let rank = (sorted.len() as f64 * share).ceil().max(1.0) - 1.0;
        sorted.get(rank as usize).copied().unwrap_or(f64::NAN)
    }

    /// The middle one.
    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// The smallest: the speed of the machine when nobody disturbs it.
    pub fn best(&self) -> f64 {
        self.quantile(0.0)
    }

    /// Half of the figures lie between these.
    pub fn spread(&self) -> (f64, f64) {
        (self.quantile(0.25), self.quantile(0.75))
    }
}

impl From<Vec<f64>> for Samples {
    fn from(figures: Vec<f64>) -> Self {
        Self { figures }
    }
}

/// Geometric mean; NaN of nothing.
pub fn geometric_mean(figures: impl IntoIterator<Item = f64>) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for figure in figures {
        sum += figure.ln();
        count += 1.0;
    }
    f64::exp(sum / count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_figures_that_were_taken() {
        let samples = Samples::from(vec![5.0, 1.0, 4.0, 2.0, 3.0]);
        assert_eq!(
            (samples.best(), samples.median(), samples.quantile(1.0)),
            (1.0, 3.0, 5.0)
        );
        assert_eq!(samples.spread(), (2.0, 4.0));
        assert!(Samples::default().median().is_nan());
    }

    #[test]
    fn the_geometric_mean_of_a_ratio_and_its_inverse_is_one() {
        assert!((geometric_mean([4.0, 0.25]) - 1.0).abs() < 1e-12);
    }
}
