//! `legalstat requests queue`: what waits for officials, by sections.

use clap::Args;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::SERVICE;
use crate::{
    call::Connection,
    commands::{self, object, sheet},
    failure::Failure,
    options::Options,
    output::{self, text},
    place::ServiceName,
};

/// How many requests of each section an overview shows.
const FIRST: u16 = 5;
/// How many characters of an essence a row shows.
const ESSENCE: usize = 60;
/// The states in which somebody is still to do something.
const OPEN: [&str; 4] = [
    "REQUEST_STATE_RECEIVED",
    "REQUEST_STATE_AWAITING_CLARIFICATION",
    "REQUEST_STATE_REGISTERED",
    "REQUEST_STATE_IN_PREPARATION",
];
const COLUMNS: [(&str, &str); 7] = [
    ("number", "number"),
    ("due", "due"),
    ("left", "left"),
    ("requester", "requester"),
    ("essence", "essence"),
    ("who has it", "assignee"),
    ("next", "next"),
];

/// What is shown
#[derive(Args, Debug)]
pub(crate) struct Queue {
    #[command(flatten)]
    chosen: Chosen,
    /// How many rows of a section
    #[arg(long, value_name = "COUNT", default_value_t = 20, requires = "section",
          value_parser = clap::value_parser!(u16).range(1..=1000))]
    page_size: u16,
    /// Where the page before ended, as it tells
    #[arg(long, value_name = "TOKEN", requires = "section")]
    page_token: Option<String>,
}

/// One section, instead of the first rows of each
#[derive(Args, Debug)]
#[group(id = "section", multiple = false)]
struct Chosen {
    /// The open requests that whoever gives the command has, the oldest first
    #[arg(long)]
    mine: bool,
    /// The open requests that nobody has, the oldest first
    #[arg(long)]
    unassigned: bool,
    /// Those whose answer is still in time, the soonest due first
    #[arg(long)]
    due_soonest: bool,
    /// Those that wait for their answer after their due date, the longest first
    #[arg(long)]
    overdue: bool,
    /// Those whose answer is drafted and not approved, the soonest due first
    #[arg(long)]
    waiting_for_approval: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Section {
    Mine,
    Unassigned,
    DueSoonest,
    Overdue,
    WaitingForApproval,
}

impl Chosen {
    fn section(&self) -> Option<Section> {
        let given = [
            (self.mine, Section::Mine),
            (self.unassigned, Section::Unassigned),
            (self.due_soonest, Section::DueSoonest),
            (self.overdue, Section::Overdue),
            (self.waiting_for_approval, Section::WaitingForApproval),
        ];
        given.into_iter().find_map(|(given, section)| given.then_some(section))
    }
}

impl Queue {
    /// Shows the first rows of every section, or a page of one.
    pub(crate) async fn run(self, options: &Options) -> Result<(), Failure> {
        let me = commands::caller_name(options)?;
        let connection = commands::connect(options, ServiceName::RequestIntake, None)?;
        let Some(section) = self.chosen.section() else {
            return overview(&connection, &me, options).await;
        };
        let page = section.page(&connection, &me, self.page_size, self.page_token).await?;
        let mut shown = format!("{}\n{}", section.title(&me), table(&page));
        let token = text(&page["nextPageToken"]);
        if !token.is_empty() {
            shown += &format!("\nmore: `requests queue --{} --page-token {token}`", section.flag());
        }
        Ok(output::show(&page, options.output, &shown)?)
    }
}

/// The first rows of every section.
async fn overview(connection: &Connection, me: &str, options: &Options) -> Result<(), Failure> {
    let (mut whole, mut shown) = (Map::new(), Vec::new());
    for section in Section::ALL {
        let page = section.page(connection, me, FIRST, None).await?;
        shown.push(part(section, me, &page));
        let mut name = section.flag().split('-').map(str::to_owned).collect::<Vec<_>>();
        for word in &mut name[1..] {
            word[..1].make_ascii_uppercase();
        }
        whole.insert(name.concat(), page);
    }
    Ok(output::show(
        &Value::Object(whole),
        options.output,
        &shown.join("\n\n"),
    )?)
}

/// A section of the overview.
fn part(section: Section, me: &str, page: &Value) -> String {
    let title = section.title(me);
    if page["requests"].as_array().is_none_or(Vec::is_empty) {
        return format!("{title}: none");
    }
    let more = match text(&page["nextPageToken"]).is_empty() {
        true => String::new(),
        false => format!(", the first of more; all: `requests queue --{}`", section.flag()),
    };
    format!("{title}{more}\n{}", table(page))
}

fn table(page: &Value) -> String {
    let requests = page["requests"].as_array().map(Vec::as_slice).unwrap_or_default();
    let rows: Value = requests.iter().map(row).collect();
    output::rows(&rows, &COLUMNS)
}

fn row(request: &Value) -> Value {
    let left = sheet::days_left(request).unwrap_or_default();
    json!({
        "number": sheet::number(request),
        "due": request["dueDate"],
        "left": left.replace("overdue", "OVERDUE"),
        "requester": request["requester"]["fullName"],
        "essence": cut(request["essence"].as_str().unwrap_or_default()),
        "assignee": request["assignee"],
        "next": sheet::next(request),
    })
}

fn cut(essence: &str) -> String {
    let mut characters = essence.chars();
    let begin: String = characters.by_ref().take(ESSENCE).collect();
    if characters.next().is_none() {
        begin
    } else {
        format!("{}…", begin.trim_end())
    }
}

impl Section {
    const ALL: [Self; 5] = [
        Self::Mine,
        Self::Unassigned,
        Self::DueSoonest,
        Self::Overdue,
        Self::WaitingForApproval,
    ];

    fn flag(self) -> &'static str {
        match self {
            Self::Mine => "mine",
            Self::Unassigned => "unassigned",
            Self::DueSoonest => "due-soonest",
            Self::Overdue => "overdue",
            Self::WaitingForApproval => "waiting-for-approval",
        }
    }

    fn title(self, me: &str) -> String {
        match self {
            Self::Mine => format!("mine ({me})"),
            other => other.flag().replace('-', " "),
        }
    }

    /// The request of ListRequests.
    fn request(self, me: &str) -> Value {
        // What has no due date yet is left out of the order by it, and is not to be left out of these.
        let (order, open) = match self {
            Self::Mine | Self::Unassigned => ("number", Some(json!(OPEN))),
            // Whoever waits for the requester, too: their term runs.
            Self::DueSoonest => ("due_date", Some(json!(&OPEN[1..]))),
            Self::Overdue | Self::WaitingForApproval => ("due_date", None),
        };
        let today = legalstat_kit::zone::civil_day(Timestamp::now());
        let today = json!({ "year": today.year(), "month": today.month(), "day": today.day() });
        object([
            ("view", Some(json!("REQUEST_VIEW_FULL"))),
            ("orderBy", Some(json!(order))),
            ("states", open),
            ("assignee", (self == Self::Mine).then(|| json!(me))),
            ("unassigned", (self == Self::Unassigned).then(|| json!(true))),
            ("dueFrom", (self == Self::DueSoonest).then_some(today)),
            ("overdue", (self == Self::Overdue).then(|| json!(true))),
            (
                "awaitingApproval",
                (self == Self::WaitingForApproval).then(|| json!(true)),
            ),
        ])
    }

    /// A page of it, which is empty only at the end: the service tells where to go on when it has looked through many in vain.
    async fn page(self, connection: &Connection, me: &str, size: u16, token: Option<String>) -> Result<Value, Failure> {
        let mut request = self.request(me);
        request["pageSize"] = json!(size);
        request["pageToken"] = json!(token.unwrap_or_default());
        loop {
            let page = connection.call(&format!("{SERVICE}/ListRequests"), &request).await?;
            let is_empty = page["requests"].as_array().is_none_or(Vec::is_empty);
            let next = page["nextPageToken"].as_str().unwrap_or_default();
            if !is_empty || next.is_empty() {
                return Ok(page);
            }
            request["pageToken"] = json!(next);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{call, message};

    #[test]
    fn every_section_is_a_list_that_the_contract_knows() {
        let input = call::method(&format!("{SERVICE}/ListRequests")).input();
        for section in Section::ALL {
            message::of(&input, &section.request("aliya")).expect("the contract has these fields");
        }
        assert_eq!(Section::Mine.request("aliya")["assignee"], "aliya");
    }

    #[test]
    fn a_row_tells_what_is_overdue_and_cuts_a_long_essence_between_characters() {
        let request = json!({
            "registrationNumber": "2026-000007", "state": "REQUEST_STATE_REGISTERED",
            "dueDate": { "year": 2020, "month": 1, "day": 6 }, "essence": "ә".repeat(ESSENCE + 1),
        });
        let row = row(&request);
        assert!(text(&row["left"]).starts_with("OVERDUE by "), "{row}");
        assert_eq!(text(&row["essence"]), format!("{}…", "ә".repeat(ESSENCE)));
        assert_eq!(cut(&"ә".repeat(ESSENCE)), "ә".repeat(ESSENCE));
        let page = json!({ "requests": [request], "nextPageToken": "t" });
        let told = part(Section::Overdue, "aliya", &page);
        assert!(
            told.contains("2026-000007") && told.contains("`requests queue --overdue`"),
            "{told}"
        );
        assert_eq!(
            part(Section::Mine, "aliya", &json!({ "requests": [] })),
            "mine (aliya): none"
        );
    }
}
