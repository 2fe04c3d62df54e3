//! Conditions of the figures beside the code: the machine and the settings.

use std::process::Command;

use cordon_runtime::engine::Engine;

use crate::pages::IMAGE;

/// Name and value of everything worth knowing.
pub fn notes(engine: &Engine) -> Vec<(String, String)> {
    let mut notes = Vec::new();
    let mut note = |name: &str, value: String| notes.push((name.to_owned(), value));
    note("CPU", format!("{}, {} cores", cpu(), cores()));
    note("kernel", read("/proc/sys/kernel/osrelease"));
    note("memory", line("/proc/meminfo", "MemTotal:"));
    note(
        "transparent huge pages",
        read("/sys/kernel/mm/transparent_hugepage/enabled"),
    );
    note("load before", load());
    note("rustc", command("rustc", &["--version"]));
    note("wasmtime", locked_version("wasmtime"));
    note("allocator", engine.allocation().to_string());
    note("heap image", image());
    note("guest", guest(engine));
    note(
        "python3",
        command(
            "python3",
            &["-c", "import sys; print(sys.version.replace('\\n', ' '))"],
        ),
    );
    note("mappings allowed", read("/proc/sys/vm/max_map_count"));
    notes
}

/// Processes that ran in the last minute, five minutes, a quarter of an hour.
pub fn load() -> String {
    read("/proc/loadavg")
}

/// Minor page faults of this process so far (`ru_minflt` of `getrusage`).
pub fn minor_faults() -> f64 {
    let stat = read("/proc/self/stat");
    // The name may hold blanks; fields count from behind its parenthesis.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let field = fields.split_whitespace().nth(7);
    field
        .and_then(|field| field.parse().ok())
        .unwrap_or(f64::NAN)
}

/// Mappings of this process.
pub fn mappings() -> usize {
    std::fs::read_to_string("/proc/self/maps").map_or(0, |maps| maps.lines().count())
}

/// Bytes in memory that a process has written to and shares with nobody.
pub fn private_bytes(process: &str) -> f64 {
    let file = format!("/proc/{process}/smaps_rollup");
    let Ok(text) = std::fs::read_to_string(file) else {
        return f64::NAN;
    };
    let private = text
        .lines()
        .filter(|line| line.starts_with("Private_Dirty:"));
    let kilobytes = private.filter_map(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    kilobytes.sum::<f64>() * 1024.0
}

fn image() -> String {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let writable = |line: &&str| line.contains(" rw-p ") && line.ends_with(IMAGE);
    match maps.lines().filter(writable).count() {
        0 => "not mapped at the end: nothing was started, or every start copies it".to_owned(),
        count => format!("mapped copy-on-write ({count} mappings at the end)"),
    }
}

/// The folder and the file of the guest: its key, where it comes from the cache.
fn guest(engine: &Engine) -> String {
    let path = engine.artifact().path();
    let folder = path.parent().and_then(|folder| folder.file_name());
    let names = [folder, path.file_name()].into_iter().flatten();
    names.collect::<std::path::PathBuf>().display().to_string()
}

fn cpu() -> String {
    line("/proc/cpuinfo", "model name")
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(0, usize::from)
}

fn read(file: &str) -> String {
    std::fs::read_to_string(file)
        .map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned())
}

fn line(file: &str, start: &str) -> String {
    let text = read(file);
    let line = text.lines().find_map(|line| line.strip_prefix(start));
    line.unwrap_or("unknown")
        .trim_start_matches([' ', '\t', ':'])
        .to_owned()
}

fn command(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map_or_else(
        |_| "unknown".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}

/// Version from the lock file that this program was built with.
fn locked_version(package: &str) -> String {
    let lock = include_str!("../../Cargo.lock");
    let section = lock
        .split(&format!("name = \"{package}\"\nversion = \""))
        .nth(1);
    section
        .and_then(|rest| rest.split('"').next())
        .unwrap_or("unknown")
        .to_owned()
}

/// Computing time of this process so far, in seconds.
pub fn cpu_seconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
