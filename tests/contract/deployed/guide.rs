//! The operations guide: its tables of settings and of what may be set in `compose.yaml`.

use std::{collections::BTreeSet, fmt::Write as _, fs};

use super::{Deployed, FILE, folder, of_command_line, services, text};

/// Between these lines of the guide stands the table that this test makes.
const BEGIN: &str = "<!-- settings: made by the contract test -->\n";
const END: &str = "<!-- end of settings -->\n";

/// The settings that a table explains: those in its cells that stand in backquotes, with what a cell shortens to its ending.
fn explained(page: &str) -> BTreeSet<String> {
    let rows = page.lines().filter(|line| line.starts_with('|'));
    let mut found = BTreeSet::new();
    for row in rows {
        let mut before = String::new();
        for word in row.split('`').skip(1).step_by(2) {
            let word = match word.strip_prefix('_').and(before.rsplit_once('_')) {
                Some((beginning, _)) => format!("{beginning}{word}"),
                None => word.to_owned(),
            };
            before.clone_from(&word);
            found.insert(word);
        }
    }
    found
}

/// The guide without the table that is made.
fn written() -> (String, String, String) {
    let guide = text("README.md");
    let (before, rest) = guide.split_once(BEGIN).expect("the table has its place");
    let (table, after) = rest.split_once(END).expect("the table has an end");
    (before.to_owned(), table.to_owned(), after.to_owned())
}

fn table(services: &[Deployed], guide: &BTreeSet<String>, limits: &BTreeSet<String>) -> String {
    let mut table = String::from("| Setting |");
    services
        .iter()
        .for_each(|service| write!(table, " {} |", service.name).expect("a string takes everything"));
    table.push_str(" Explained |\n|---|");
    table.push_str(&"---|".repeat(services.len() + 1));
    table.push('\n');
    let names: BTreeSet<&String> = services.iter().flat_map(|service| &service.known).collect();
    for name in names {
        let plain = name.strip_suffix(FILE).unwrap_or(name);
        let place = match (guide.contains(plain), limits.contains(plain)) {
            (true, _) => "above",
            (false, true) => "[LIMITS.md](LIMITS.md)",
            (false, false) => panic!("neither the guide nor the page of limits explains {name}"),
        };
        let cells: Vec<&str> = services
            .iter()
            .map(|service| match () {
                () if service.required.contains(plain) && plain != name => "required, or without the ending",
                () if service.required.contains(name) => "required",
                () if service.known.contains(name) => "may be set",
                () => "–",
            })
            .collect();
        writeln!(table, "| `{name}` | {} | {place} |", cells.join(" | ")).expect("a string takes everything");
    }
    table
}

#[test]
fn every_setting_of_the_code_stands_in_the_guide_with_the_services_that_take_it() {
    let (before, told, after) = written();
    let made = table(
        &services(),
        &explained(&(before.clone() + &after)),
        &explained(&text("LIMITS.md")),
    );
    if std::env::var_os("LEGALSTAT_UPDATE_SNAPSHOT").is_some() {
        let guide = [&*before, BEGIN, &made, END, &after].concat();
        fs::write(folder().join("README.md"), guide).expect("the guide is writable");
    } else {
        assert_eq!(told, made, "run with LEGALSTAT_UPDATE_SNAPSHOT=1");
    }
}

#[test]
fn the_tables_explain_no_setting_that_does_not_exist_and_all_that_compose_reads() {
    let (before, _, after) = written();
    let explained: BTreeSet<String> = explained(&(before + &after))
        .union(&explained(&text("LIMITS.md")))
        .cloned()
        .collect();
    let mut known = of_command_line();
    known.extend(services().into_iter().flat_map(|service| service.known));
    // `$$` is a dollar of a script.
    let compose = text("compose.yaml").replace("$${", "");
    let read = compose
        .split("${")
        .skip(1)
        .map(|rest| rest.split([':', '-', '}']).next().unwrap_or_default());
    let read: BTreeSet<String> = read.map(str::to_owned).collect();
    let is_setting = |name: &&String| name.starts_with("LEGALSTAT_") && !name.ends_with("…");
    let strange: Vec<&String> = explained
        .iter()
        .filter(is_setting)
        .filter(|name| !known.contains(*name) && !read.contains(*name))
        .collect();
    assert_eq!(strange, [""; 0], "explained, and in neither the code nor compose.yaml");
    assert_eq!(
        read.difference(&explained).collect::<Vec<_>>(),
        [""; 0],
        "read by compose.yaml, and not explained"
    );
}
