use burn::tensor::{Tensor, TensorData};
use burn_flex::Flex;
use huenet_hist::{Bins, HistogramLossConfig, Kernel};

use super::*;
use crate::measure::figures::{Compared, figures_of};

const SIDE: usize = 12;

fn wave(phase: f32) -> Vec<f32> {
    let value = |i: usize| 0.9 * (0.37 * i as f32 + phase).sin() * (0.11 * i as f32).cos();
    (0..3 * SIDE * SIDE).map(value).collect()
}

fn tensor(images: &[Vec<f32>]) -> Tensor<Flex, 4> {
    let shape = [images.len(), 3, SIDE, SIDE];
    Tensor::from_data(TensorData::new(images.concat(), shape), &Default::default())
}

#[test]
fn the_distance_to_others_is_the_distance_that_the_figures_have() {
    let outputs: Vec<_> = [0.1, 0.9, 2.0].map(wave).to_vec();
    let references: Vec<_> = [0.4, 1.5, 2.2]
        .map(|phase| wave(phase).iter().map(|v| v * 0.6).collect())
        .to_vec();
    let bins = Bins::new(BINS, -1.0, 1.0).unwrap();
    let loss = HistogramLossConfig::new(bins, Kernel::default()).init();
    let of = Compared {
        colour: ColourSpace::Yuv,
        truth: false,
        photograph: true,
    };
    // The figures of output i beside reference j.
    let figures = |outputs: &[Vec<f32>], references: &[Vec<f32>]| {
        let (content, reference, output) = (tensor(outputs), tensor(references), tensor(outputs));
        figures_of(of, &loss, [content, reference, output]).unwrap()
    };
    let mut histograms = Histograms::new(3, BINS);
    histograms.references(figures(&references, &references).1);
    histograms.outputs(Method::Generator, figures(&outputs, &references).1);
    let pairs = ["a", "b", "b"];
    let pairs = Pair::made_up(&pairs);
    let others = histograms.to_others(Method::Generator, &pairs);

    let emd = |i: usize, j: usize| figures(&outputs[i..=i], &references[j..=j]).0[0].emd;
    for (got, expected) in others.iter().zip([
        (emd(0, 1) + emd(0, 2)) / 2.0,
        // The third pair has the same reference as the second.
        emd(1, 0),
        emd(2, 0),
    ]) {
        assert!(
            (got.unwrap() - expected).abs() < 1e-5,
            "{got:?} is not {expected}"
        );
    }
    assert_eq!(histograms.to_others(Method::Generator, &pairs[..1]), [None]);
}

fn pairs_of(method: &Value) -> &Vec<Value> {
    method["pairs"].as_array().unwrap()
}

#[test]
fn an_output_that_is_the_ground_truth_does_not_make_the_mean_infinite() {
    let mut comparison = comparison();
    let pairs = &mut comparison.methods[1].pairs;
    (pairs[0].figures.psnr, pairs[2].figures.psnr) = (Some(20.0), Some(23.0));
    let text = comparison.to_markdown();
    let row = text
        .lines()
        .find(|line| line.starts_with("| doing nothing |"));
    assert!(row.unwrap().contains("| 21.50 ["), "{text}");
    assert!(
        text.contains("\ndoing nothing: 1 infinite psnr left out"),
        "{text}"
    );
    assert!(!text.contains("\nthis model: "), "{text}");
    let json = comparison.to_json();
    assert_eq!(json["methods"][1]["mean"]["psnr"], 21.5);
    assert_eq!(json["methods"][1]["left_out"]["psnr"], 1);

    let all = &comparison.methods[1].pairs;
    let all: Vec<Figures> = all.iter().map(|pair| pair.figures.clone()).collect();
    assert_eq!(Figures::mean(&all).unwrap().psnr, Some(21.5));
    assert_eq!(Figures::mean(&all[1..2]).unwrap().psnr, Some(f64::INFINITY));
}

fn comparison() -> Comparison {
    let figures = |emd: f64| Figures {
        emd,
        emd_channels: vec![emd, 2.0 * emd, 3.0 * emd],
        swd: Some(emd / 2.0),
        h_content_given_output: 1.5,
        histogram_intersection: 0.5,
        ssim_luma: 0.25,
        cliffs: Some(1.0 + emd),
        noise: None,
        psnr: (emd < 0.2).then_some(f64::INFINITY),
        ssim: None,
    };
    let methods = [Method::Generator, Method::Nothing].map(|method| {
        let mut measured = Measured::new(method);
        for emd in [0.3, 0.1, 0.2] {
            measured.push(figures(emd), 0.125);
        }
        measured
    });
    Comparison {
        checkpoint: "run/checkpoints/step-00000007".into(),
        task: "colorization".to_owned(),
        dataset: "photos".to_owned(),
        sample_mode: "batch".to_owned(),
        step: 7,
        size: [64, 96],
        colour: ColourSpace::Yuv,
        pairs: Pair::made_up(&["a", "b", "c"]),
        methods: methods.to_vec(),
        other: None,
    }
}

#[test]
fn a_table_has_a_row_for_each_method_and_a_cell_for_each_figure() {
    let text = comparison().to_markdown();
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with('|')).collect();
    assert_eq!(rows.len(), 4, "{text}");
    let cells = |row: &str| row.matches('|').count();
    assert!(
        rows.iter().all(|row| cells(row) == cells(rows[0])),
        "{text}"
    );
    assert!(rows[0].contains("| emd_u |") && !rows[0].contains("emd_other"));
    // Three values of 0.1 to 0.3: an interval within.
    assert!(rows[2].starts_with("| this model | 0.2000 [0.1"), "{text}");
    assert!(rows[2].contains("| 12.5 [12.5, 12.5] |"), "{text}");
    assert!(rows[3].starts_with("| doing nothing | "));
    assert!(text.contains("96×64 pixels"));
}

#[test]
fn the_json_has_means_intervals_and_every_pair() {
    let json = comparison().to_json();
    let method = &json["methods"][0];
    assert_eq!(method["method"], "generator");
    let close = |value: &Value, expected: f64| (value.as_f64().unwrap() - expected).abs() < 1e-12;
    assert!(close(&method["mean"]["emd"], 0.2) && close(&method["mean"]["emd_v"], 0.6));
    assert!(method["interval"]["emd"][0].as_f64() < Some(0.2));
    // Not a finite number, but there.
    assert!(
        pairs_of(method)[1]
            .as_object()
            .unwrap()
            .contains_key("psnr")
    );
    assert!(pairs_of(method)[1]["psnr"].is_null());
    // Nor the mean, where no other has one.
    assert!(method["mean"]["psnr"].is_null() && method["left_out"]["psnr"].is_null());
    let pairs = pairs_of(method);
    assert_eq!(pairs.len(), 3);
    assert_eq!(
        (&pairs[1]["content"], &pairs[1]["reference"]),
        (&"1".into(), &"b".into())
    );
    assert!(close(&pairs[1]["emd"], 0.1));
    assert_eq!(comparison().ranking(), [1, 2, 0]);
}

#[test]
fn the_page_has_the_tables_numbers_a_chart_for_each_figure_and_the_sheet() {
    let mut comparison = comparison();
    comparison.dataset = "<script>alert(1)</script>".to_owned();
    let sheet = RgbImage::from_pixel(40, 20, image::Rgb([10, 200, 90]));
    let page = comparison.to_html(Some(&sheet));
    let table = comparison.table();
    for (title, row) in &table.rows {
        assert!(page.contains(&format!("<th scope=\"row\">{title}</th>")));
        for figure in row {
            assert!(
                page.contains(&format!("<td>{}", figure.mean())),
                "{figure:?}"
            );
            let span = figure
                .interval()
                .map(|[low, high]| format!("<span>[{low}, {high}]</span>"));
            assert!(span.is_none_or(|span| page.contains(&span)), "{figure:?}");
        }
    }
    assert_eq!(page.matches("<svg").count(), table.columns().len());
    // Its picture is in it, and it names nothing outside itself.
    let (_, jpeg) = page.split_once("src=\"data:image/jpeg;base64,").unwrap();
    let (jpeg, _) = jpeg.split_once('"').unwrap();
    let jpeg = data_encoding::BASE64.decode(jpeg.as_bytes()).unwrap();
    let shown = image::load_from_memory(&jpeg).unwrap();
    assert_eq!((shown.width(), shown.height()), (40, 20));
    for outside in ["src=\"http", "href=", "@import", "url(", "<script"] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(page.contains("&lt;script&gt;alert"));
    assert!(!comparison.to_html(None).contains("<img"));
}

/// The comparison with a second model, whose emd is half as large, and larger by 0.1 in the last pair.
fn with_other() -> Comparison {
    let mut comparison = comparison();
    let mut other = comparison.methods[0].clone();
    other.method = Method::Other;
    for (number, pair) in other.pairs.iter_mut().enumerate() {
        pair.figures.emd = [0.15, 0.05, 0.3][number];
    }
    comparison.methods.insert(1, other);
    comparison.other = Some(Told {
        run: "a|<b>".to_owned(),
        checkpoint: "other/checkpoints/step-00000009".into(),
        step: 9,
        sample_mode: "running".to_owned(),
        dataset: "flowers".to_owned(),
        resized: Some(["bilinear", "nearest"].map(str::to_owned)),
    });
    comparison
}

#[test]
fn a_second_model_has_a_row_and_a_table_of_differences() {
    let text = with_other().to_markdown();
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with('|')).collect();
    assert!(rows[2].starts_with("| this model | 0.2000 ["), "{text}");
    assert!(
        rows[3].starts_with("| run a\\|<b> | 0.1667 [0.05"),
        "{text}"
    );
    assert!(rows[4].starts_with("| doing nothing | "), "{text}");
    let about = "\nthis model − run a|<b>: mean difference over the pairs [95 % interval, paired bootstrap]; \
                 run a|<b> was trained on flowers, step 9, running statistics, with resize bilinear \
                 (here: nearest)\n";
    assert!(text.contains(about), "{text}");
    let row = |name: &str| *rows[5..].iter().find(|row| row.starts_with(name)).unwrap();
    assert_eq!(
        row("| emd |"),
        "| emd | 0.0333 [-0.1000, 0.1500] | less | 33 % of 3 pairs |"
    );
    assert_eq!(
        row("| out of gamut, % |"),
        "| out of gamut, % | 0.0 [0.0, 0.0] | less | 0 % of 3 pairs, equal in 100 % |"
    );
    // Of the three pairs one has an infinite psnr, and the others have none.
    assert_eq!(row("| psnr, dB |"), "| psnr, dB |  | greater |  |");
    assert!(text.contains("\ndifference of psnr: 3 pairs left out"));
    assert!(!text.contains("difference of emd: "));
    assert!(!comparison().to_markdown().contains("difference"));
    assert!(comparison().differences().is_empty());
}

#[test]
fn the_json_of_a_second_model_has_its_figures_and_the_differences() {
    let json = with_other().to_json();
    assert_eq!(json["methods"][1]["method"], "other");
    assert_eq!(json["methods"][1]["pairs"][2]["emd"], 0.3);
    let against = &json["against"];
    assert_eq!(
        (&against["run"], &against["step"]),
        (&"a|<b>".into(), &9.into())
    );
    let emd = &against["differences"]["emd"];
    assert!((emd["mean"].as_f64().unwrap() - 0.1 / 3.0).abs() < 1e-12);
    assert_eq!((&emd["pairs"], &emd["left_out"]), (&3.into(), &0.into()));
    assert_eq!(emd["better"].as_f64(), Some(1.0 / 3.0));
    assert_eq!(against["differences"]["psnr"]["left_out"], 3);
    assert!(comparison().to_json().get("against").is_none());
}

#[test]
fn the_page_of_a_second_model_has_its_differences_and_their_chart() {
    let page = with_other().to_html(None);
    assert!(page.contains("<h2>Differences from run a|&lt;b&gt;</h2>"));
    let row = "<th scope=\"row\">emd</th><td>0.0333 [-0.1000, 0.1500]</td><td>less</td>\
               <td>33 % of 3 pairs</td>";
    assert!(page.contains(row), "{page}");
    let charts = page.matches("<svg").count();
    assert_eq!(charts, with_other().table().columns().len() + 1);
    let (_, chart) = page.split_once("intervals of the differences").unwrap();
    let (chart, _) = chart.split_once("</svg>").unwrap();
    // A dot for each figure of which there are differences: all but psnr.
    let figures = with_other().differences().len();
    assert_eq!(chart.matches("<circle").count(), figures - 1);
    assert!(!chart.contains("NaN") && !chart.contains("inf"), "{chart}");
}
