use super::*;

fn of(name: &str, this: &[f64], other: &[f64]) -> Difference {
    let pairs = this.iter().zip(other);
    Difference::new(
        name.to_owned(),
        pairs.map(|(this, other)| [Some(*this), Some(*other)]),
    )
}

/// Pairs that are hard for both models: their figures rise from 0 to 1, and differ by 0.1 ± 0.05.
fn correlated() -> [Vec<f64>; 2] {
    let hard = |i: u32| f64::from(i * 37 % 100) / 100.0;
    let this = (0..100).map(|i| hard(i) + 0.1 + if i % 2 == 0 { 0.05 } else { -0.05 });
    [this.collect(), (0..100).map(hard).collect()]
}

#[test]
fn the_interval_is_that_of_the_differences_of_pairs() {
    let [this, other] = correlated();
    let difference = of("emd", &this, &other);
    assert!((difference.mean.unwrap() - 0.1).abs() < 1e-12);
    // The standard deviation of the differences is 0.05, that of the mean of 100 of them 0.005.
    let [low, high] = difference.interval.unwrap();
    let reach = 1.96 * 0.005;
    assert!((low - (0.1 - reach)).abs() < 0.15 * reach, "{low}");
    assert!((high - (0.1 + reach)).abs() < 0.15 * reach, "{high}");
    // Of figures that are drawn apart from each other the difference would have the variance of both.
    let width = |values: &[f64]| interval(values).map(|[low, high]| high - low).unwrap();
    let apart = width(&this).hypot(width(&other));
    assert!(high - low < apart / 5.0, "{low} to {high}, {apart} apart");
}

#[test]
fn the_difference_is_this_model_minus_the_other() {
    let difference = of("psnr", &[20.0, 30.0], &[21.0, 32.0]);
    assert_eq!(difference.mean, Some(-1.5));
    assert_eq!(difference.cell(), "-1.50 [-2.00, -1.00]");
    let difference = of("out_of_gamut", &[0.5], &[0.25]);
    assert_eq!((difference.mean, difference.interval), (Some(0.25), None));
    assert_eq!(difference.cell(), "25.0");
}

#[test]
fn equal_figures_differ_by_exactly_nothing() {
    let values = [0.1, 0.7, 0.3];
    let difference = of("emd", &values, &values);
    assert_eq!(difference.mean, Some(0.0));
    assert_eq!(difference.interval, Some([0.0, 0.0]));
    assert_eq!(difference.cell(), "0.0000 [0.0000, 0.0000]");
    assert_eq!(difference.share(), "0 % of 3 pairs, equal in 100 %");
    let less = of("emd", &[0.1], &[0.100_001]);
    assert_eq!(less.cell(), "0.0000");
}

#[test]
fn better_is_what_each_figure_says() {
    let share = |name: &str, this: &[f64], other: &[f64]| {
        let shares = of(name, this, other).better;
        shares.map(|shares| [shares.this, shares.equal])
    };
    let (this, other) = (&[0.1, 0.2, 0.3, 0.4], &[0.2, 0.1, 0.4, 0.4]);
    for less in [
        "emd",
        "emd_y",
        "emd_grey",
        "swd",
        "h_content_given_output",
        "out_of_gamut",
    ] {
        assert_eq!(share(less, this, other), Some([0.5, 0.25]), "{less}");
    }
    for greater in ["psnr", "ssim", "ssim_luma", "histogram_intersection"] {
        assert_eq!(share(greater, this, other), Some([0.25, 0.25]), "{greater}");
    }
    // A blurred output is no better than one as rough as its content.
    for rough in ["cliffs", "noise"] {
        let shares = share(rough, &[0.5, 1.0, 1.25], &[1.25, 0.75, 2.0]);
        assert_eq!(shares, Some([2.0 / 3.0, 0.0]), "{rough}");
    }
    assert_eq!(share("emd_other", this, other), None);
    assert_eq!(of("emd_other", this, other).share(), "");
}

#[test]
fn pairs_without_two_finite_figures_are_left_out_and_counted() {
    let infinite = f64::INFINITY;
    let pairs = [
        [Some(20.0), Some(18.0)],
        [Some(infinite), Some(18.0)],
        [Some(infinite), Some(infinite)],
        [None, Some(18.0)],
        [None, None],
        [Some(f64::NAN), Some(18.0)],
        [Some(24.0), Some(20.0)],
    ];
    let difference = Difference::new("psnr".to_owned(), pairs.into_iter());
    assert_eq!(difference.mean, Some(3.0));
    assert_eq!(difference.interval, Some([2.0, 4.0]));
    assert_eq!((difference.pairs, difference.left_out), (2, 5));
    assert_eq!(difference.share(), "100 % of 2 pairs");

    let none = Difference::new("psnr".to_owned(), pairs[1..3].iter().copied());
    assert_eq!((none.mean, none.interval, none.better), (None, None, None));
    assert_eq!((none.pairs, none.left_out), (0, 2));
    assert_eq!((none.cell(), none.share()), (String::new(), String::new()));
    assert!(none.to_json()["mean"].is_null());
}
