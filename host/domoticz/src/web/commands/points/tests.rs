//! Names and decimals of points, and the time that they take.

use std::time::Duration;

use jiff::ToSpan;

use super::*;
use cordon_base::account::thread_cpu;

fn device(device_type: i64, sub_type: i64, switch_type: i64) -> Device {
    Device {
        device_type,
        sub_type,
        switch_type,
        ..Device::default()
    }
}

fn moments(figures: &[[f64; 2]]) -> Vec<Moment> {
    let row = |(n, [a, b]): (i64, &[f64; 2])| Moment {
        time: n * 1800,
        figures: [Some(*a), Some(*b), None, None, None, None],
    };
    (0..).zip(figures).map(row).collect()
}

fn made(points: Points) -> Vec<Value> {
    points.collect()
}

fn day(figures: &[f64]) -> Vec<(Date, Day)> {
    let mut day = Day::default();
    for (place, figure) in day.0.iter_mut().zip(figures) {
        *place = Some(*figure);
    }
    vec![(jiff::civil::date(2024, 5, 1), day)]
}

#[test]
fn temperatures_are_numbers_and_humidities_texts() {
    let chart = || Chart::of(&device(82, 1, 0), "temp").unwrap();
    let mut rows = moments(&[[19.456, 0.0]]);
    rows[0].figures[2] = Some(51.0);
    let point = &made(chart().moments(rows))[0];
    assert_eq!((&point["te"], &point["hu"]), (&json!(19.46), &json!("51")));
    assert_eq!(point["d"].as_str().unwrap().len(), 16);
    let points = made(chart().days(day(&[10.0, 20.0, 15.0, 9.0, 19.0, 50.0, 1010.0])));
    let expected = json!({"d": "2024-05-01", "tm": 10.0, "te": 20.0, "ta": 15.0, "cm": 9.0,
                          "ch": 19.0, "hu": "50", "ba": "1010.0"});
    assert_eq!(points, [expected]);
}

#[test]
fn energy_is_shown_in_kilowatt_hours_and_power_in_watts() {
    let chart = || Chart::of(&device(243, 29, 0), "counter").unwrap();
    let points = made(chart().moments(moments(&[[1000.0, 100.0], [1500.0, 200.0]])));
    assert_eq!(
        (&points[1]["v"], &points[1]["eu"]),
        (&json!("200.0"), &json!("500.0"))
    );
    let points = made(chart().days(day(&[1234.5, 98765.0])));
    assert_eq!(
        (&points[0]["v"], &points[0]["c"]),
        (&json!("1.234"), &json!("98.765"))
    );
}

#[test]
fn counters_are_shown_by_the_hour_and_by_what_they_count() {
    let pieces = Chart::of(&device(243, 28, 3), "counter").unwrap();
    let rows = moments(&[[10.0, 0.0], [12.0, 0.0], [15.0, 0.0], [15.0, 0.0]]);
    let points = made(pieces.moments(rows));
    assert_eq!(points.len(), 2, "{points:?}");
    assert_eq!(
        (&points[0]["v"], &points[1]["v"]),
        (&json!("2"), &json!("3"))
    );
    assert_eq!(divider(&device(113, 0, 1)), (100.0, 3));
    assert_eq!(divider(&device(251, 2, 0)), (1000.0, 3));
}

#[test]
fn a_sensor_that_does_not_fit_has_no_points() {
    let chart = Chart::of(&device(80, 5, 0), "counter").unwrap();
    assert!(made(chart.moments(moments(&[[1.0, 2.0]]))).is_empty());
    assert!(Chart::of(&device(80, 5, 0), "nonsense").is_err());
    assert!(Chart::of(&device(243, 20, 0), "temp").is_err());
}

#[test]
fn every_family_has_its_names() {
    let figures: Vec<f64> = (1..=12).map(f64::from).collect();
    for (main, sub, sensor, names) in [
        (85, 3, "rain", "mm"),
        (86, 1, "wind", "di sp gu"),
        (87, 1, "uv", "uvi"),
        (243, 6, "Percentage", "v_min v_max v_avg"),
        (243, 7, "fan", "v_min v_max v_avg"),
        (243, 8, "counter", "v_min v_max v_avg"),
        (246, 1, "counter", "lux_min lux_max lux_avg"),
        (248, 1, "counter", "u_min u_max"),
        (249, 1, "counter", "co2_min co2_max co2_avg"),
        (89, 1, "counter", "v1 v2 v3 v4 v5 v6"),
        (250, 1, "counter", "v v2 r1 r2 c1 c2 c3 c4"),
    ] {
        let chart = Chart::of(&device(main, sub, 0), sensor).unwrap();
        let points = made(chart.days(day(&figures)));
        let mut found: Vec<_> = points[0].as_object().unwrap().keys().collect();
        found.sort();
        let mut expected: Vec<_> = names.split(' ').chain(["d"]).collect();
        expected.sort_unstable();
        assert_eq!(found, expected, "{main}/{sub}");
    }
}

/// Plugins decide how large figures are, and many clients may ask for a chart.
#[test]
fn no_chart_takes_long() {
    let (_, most) = day(&[1.5e300; 12])[0];
    let rows: Vec<_> = (0..4100)
        .map(|n| (jiff::civil::date(2015, 1, 1).saturating_add(n.days()), most))
        .collect();
    let chart = Chart::of(&device(250, 1, 0), "counter").unwrap();
    let begun = thread_cpu();
    let bytes: usize = chart.days(rows).map(|point| point.to_string().len()).sum();
    let spent = thread_cpu().saturating_sub(begun);
    assert!(spent < Duration::from_millis(500), "{spent:?}");
    assert!(bytes < 2 << 20, "{bytes} bytes");
}
