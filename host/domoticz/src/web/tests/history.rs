//! Tests of charts and logs over the history of devices.

use jiff::{Timestamp, ToSpan};

use super::*;

fn temperature() -> NewDevice {
    NewDevice {
        device_type: 82,
        sub_type: 1,
        s_value: "19.5;50;1".to_owned(),
        ..NewDevice::default()
    }
}

#[tokio::test]
async fn a_chart_has_the_rows_of_the_day_and_the_day_so_far() {
    let f = fixture().await;
    let id = f.add(1, temperature()).await;
    let graph = async |query: &str| {
        let answer = f
            .command(&format!("graph&sensor=temp&idx={id}&{query}"))
            .await;
        rows(&answer)
    };
    assert!(graph("range=day").await.is_empty());
    f.api.history.tick(Timestamp::now(), 60).await.unwrap();
    let day = graph("range=day").await;
    assert_eq!(
        (&day[0]["te"], &day[0]["hu"]),
        (&Value::from(19.5), &Value::from("50"))
    );
    let hour = graph("range=hour").await;
    assert_eq!((hour.len(), &hour[0]["te"]), (1, &Value::from(19.5)));
    assert!(hour[0]["d"].as_str().unwrap().ends_with(":00"));
    let this = jiff::Zoned::now().year().to_string();
    for query in ["range=compare", "range=year&groupby=year"] {
        let years = graph(query).await;
        assert_eq!(
            (&years[0]["y"], &years[0]["s"]),
            (&Value::from(this.as_str()), &Value::from("19.50")),
            "{query}"
        );
    }
    for range in ["week", "month", "year"] {
        let points = graph(&format!("range={range}")).await;
        assert_eq!(
            (points.len(), &points[0]["ta"]),
            (1, &Value::from(19.5)),
            "{range}"
        );
    }
    let older = f
        .json(&format!("type=graph&sensor=temp&idx={id}&range=day"))
        .await;
    assert_eq!(older["title"], "Graph temp day");
    assert!(graph("range=year&actyear=2001").await.is_empty());
    assert!(graph("range=2001-01-01T2001-02-01").await.is_empty());
    for (query, problem) in [
        ("sensor=temp&range=decade", "`range`"),
        ("sensor=temp&range=compare&groupby=week", "`groupby`"),
        ("sensor=mood&range=day", "`sensor`"),
        ("sensor=temp&range=month&actyear=2001&actmonth=13", "month"),
        ("sensor=temp&range=yesterdayTtoday", "YYYY-MM-DD"),
        ("range=day", "`sensor`"),
    ] {
        let answer = f.command(&format!("graph&idx={id}&{query}")).await;
        assert!(message(&answer).contains(problem), "{answer}");
    }
}

#[tokio::test]
async fn points_are_forgotten() {
    let f = fixture().await;
    let counter = NewDevice {
        device_type: 243,
        sub_type: 33,
        options: vec![("DisableLogAutoUpdate".to_owned(), "true".to_owned())],
        ..NewDevice::default()
    };
    let id = f.add(1, counter).await;
    for value in [
        "1;5;2024-05-01",
        "1;6;2024-05-02",
        "1;7;2024-05-03",
        "1;2;2024-05-01 10:00:00",
    ] {
        let value = value.replace(' ', "%20");
        f.command(&format!("udevice&idx={id}&nvalue=0&svalue={value}"))
            .await;
    }
    let graph = async |range: &str| {
        let answer = f
            .command(&format!("graph&sensor=counter&idx={id}&range={range}"))
            .await;
        rows(&answer)
    };
    let year = "2024-01-01T2024-12-31";
    let uses: Vec<_> = graph(year)
        .await
        .iter()
        .map(|row| row["v"].clone())
        .collect();
    assert_eq!(uses, ["0.005", "0.006", "0.007"]);
    assert_eq!(graph("day").await.len(), 1);
    f.command(&format!(
        "deletedatapoint&idx={id}&date=2024-05-01%2010:00:00"
    ))
    .await;
    assert!(graph("day").await.is_empty());
    f.command(&format!("deletedatapoint&idx={id}&date=2024-05-01"))
        .await;
    assert_eq!(graph(year).await.len(), 2);
    f.command(&format!(
        "deletedatapoint&idx={id}&fromdate=2024-05-01&todate=2024-05-09"
    ))
    .await;
    assert!(graph(year).await.is_empty());
    let junk = f
        .command(&format!("deletedatapoint&idx={id}&date=soon"))
        .await;
    assert!(message(&junk).contains("`date`"));
}

#[tokio::test]
async fn what_was_switched_and_said_is_listed_newest_first() {
    let f = fixture().await;
    let lamp = f.dimmer().await;
    let text = NewDevice {
        device_type: 243,
        sub_type: 19,
        ..NewDevice::default()
    };
    let text = f.add(2, text).await;
    f.set(lamp, 2, "40").await;
    f.set(lamp, 0, "0").await;
    f.set(text, 0, "hello").await;
    let log = f.command(&format!("getlightlog&idx={lamp}")).await;
    assert_eq!(log["HaveDimmer"], true);
    let log = rows(&log);
    assert_eq!(
        (&log[0]["Status"], &log[1]["Status"]),
        (&Value::from("Off"), &Value::from("Set Level: 40 %"))
    );
    assert_eq!(
        (&log[1]["Level"], &log[1]["MaxDimLevel"]),
        (&Value::from(40), &Value::from(100))
    );
    let said = rows(&f.json(&format!("type=textlog&idx={text}")).await);
    assert_eq!(said[0]["Data"], "hello");
    assert_eq!(said[0]["Date"].as_str().unwrap().len(), 19);
    f.command(&format!("clearlightlog&idx={lamp}")).await;
    assert!(rows(&f.command(&format!("getlightlog&idx={lamp}")).await).is_empty());
}

#[tokio::test]
async fn the_wind_comes_from_where_it_came_from_most() {
    let f = fixture().await;
    let wind = NewDevice {
        device_type: 86,
        sub_type: 1,
        s_value: "90;E;50;70;10;9".to_owned(),
        ..NewDevice::default()
    };
    let id = f.add(1, wind).await;
    let now = Timestamp::now();
    f.api.history.tick(now - 10.minutes(), 60).await.unwrap();
    f.api.history.tick(now, 60).await.unwrap();
    let day = rows(
        &f.command(&format!("graph&sensor=wind&idx={id}&range=day"))
            .await,
    );
    assert_eq!(
        (&day[0]["sp"], &day[0]["gu"]),
        (&Value::from("5.0"), &Value::from("7.0"))
    );
    let shares = rows(
        &f.command(&format!("graph&sensor=winddir&idx={id}&range=day"))
            .await,
    );
    assert_eq!(
        (&shares[4]["dig"], &shares[4]["div"]),
        (&Value::from(90.0), &Value::from("100.00"))
    );
}
