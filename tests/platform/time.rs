//! Local time, zones and clocks.

use crate::probe::all_hold;
use crate::support::Bench;

#[tokio::test(flavor = "multi_thread")]
async fn local_time_follows_the_zone_through_the_year() {
    let source = r#"
import datetime, time

WINTER, SUMMER = 1768478400, 1784116800   # 2026-01-15 12:00 and 2026-07-15 12:00 UTC

@case
def constants():
    assert time.tzname == ('CET', 'CEST'), time.tzname
    assert (time.timezone, time.altzone, time.daylight) == (-3600, -7200, 1)

@case
def localtime_knows_summer():
    winter, summer = time.localtime(WINTER), time.localtime(SUMMER)
    assert (winter.tm_hour, winter.tm_isdst, winter.tm_zone, winter.tm_gmtoff) == (13, 0, 'CET', 3600)
    assert (summer.tm_hour, summer.tm_isdst, summer.tm_zone, summer.tm_gmtoff) == (14, 1, 'CEST', 7200)
    assert (time.mktime(winter), time.mktime(summer)) == (WINTER, SUMMER)
    assert time.strftime('%H:%M %Z %z', summer) == '14:00 CEST +0200'
    assert time.ctime(WINTER) == 'Thu Jan 15 13:00:00 2026'

@case
def mktime_counts_on():
    assert time.mktime((2026, 1, 46, 13, 0, 0, 0, 0, -1)) == WINTER + 31 * 86400
    assert time.mktime((2025, 13, 15, 12, 60, 0, 0, 0, -1)) == WINTER

@case
def the_hour_that_is_there_twice():
    first = time.mktime((2026, 10, 25, 2, 30, 0, 0, 0, 1))
    assert time.mktime((2026, 10, 25, 2, 30, 0, 0, 0, 0)) == first + 3600

@case
def datetimes():
    assert datetime.datetime.fromtimestamp(SUMMER).hour == 14
    assert datetime.datetime(2026, 7, 15, 14).timestamp() == SUMMER
    aware = datetime.datetime(2026, 7, 15, 14).astimezone()
    assert aware.isoformat() == '2026-07-15T14:00:00+02:00' and aware.tzname() == 'CEST'
    assert datetime.datetime(2026, 10, 25, 2, 30, fold=1).timestamp() == (
        datetime.datetime(2026, 10, 25, 2, 30).timestamp() + 3600)
    parsed = datetime.datetime.strptime('2026-01-15 13:00 +0100', '%Y-%m-%d %H:%M %z')
    assert parsed.timestamp() == WINTER
    assert abs(datetime.datetime.now().timestamp() - time.time()) < 60
    assert datetime.datetime.strptime('15.01.2026', '%d.%m.%Y').strftime('%A %B') == 'Thursday January'

@case
def the_native_datetime_is_used():
    import _datetime
    assert datetime.datetime is _datetime.datetime

@case
def zones_of_the_world():
    import zoneinfo
    zone = zoneinfo.ZoneInfo('America/New_York')
    moment = datetime.datetime.fromtimestamp(SUMMER, zone)
    assert (moment.hour, moment.tzname(), moment.utcoffset().total_seconds()) == (8, 'EDT', -14400)
    assert {'Europe/Paris', 'Asia/Tokyo', 'UTC'} <= zoneinfo.available_timezones()
    raises(zoneinfo.ZoneInfoNotFoundError, 'Nowhere', lambda: zoneinfo.ZoneInfo('Europe/Nowhere'))

@case
def tzset_takes_another_zone():
    import os
    os.environ['TZ'] = 'EST5EDT,M3.2.0,M11.1.0'; time.tzset()
    assert time.tzname == ('EST', 'EDT') and time.localtime(SUMMER).tm_hour == 8
    os.environ['TZ'] = 'Asia/Tokyo'; time.tzset()
    assert datetime.datetime.fromtimestamp(SUMMER).hour == 21
    os.environ['TZ'] = 'No/Such'; time.tzset()
    assert time.localtime(SUMMER).tm_hour == 12
    os.environ['TZ'] = 'Europe/Amsterdam'; time.tzset()

@case
def clocks():
    before = time.process_time()
    sum(range(300000))
    assert 0 < time.process_time() - before < 60
    assert abs(time.clock_gettime(time.CLOCK_REALTIME) - time.time()) < 60
    assert time.clock_gettime(time.CLOCK_MONOTONIC) <= time.monotonic()
    assert time.clock_getres(time.CLOCK_MONOTONIC) < 1
    raises(OSError, '', lambda: time.clock_gettime(99))
    raises(PermissionError, 'hub', lambda: time.clock_settime(0, 1))

@case
def locales():
    import locale
    assert locale.setlocale(locale.LC_ALL, '') == 'C.UTF-8'
    assert locale.setlocale(locale.LC_TIME, 'en_US.UTF-8') == 'en_US.UTF-8'
    raises(locale.Error, 'unsupported', lambda: locale.setlocale(locale.LC_ALL, 'xx_YY'))
    assert locale.format_string('%.2f', 1.5) == '1.50'
"#;
    let mut bench = Bench::new();
    let config = "environment = { TZ = \"Europe/Amsterdam\" }";
    all_hold(&mut bench, "Time", source, config).await;
}
