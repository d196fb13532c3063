//! `legalstat requests queue`: what waits for officials, by sections.

use clap::Args;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::SERVICE;
use crate::{
    call::Connection,
    commands::{self, next, object, sheet},
    failure::Failure,
    invocation::hint,
    options::Options,
    output::{self, text},
    place::ServiceName,
};

/// How many requests of each section an overview shows.
const FIRST: u16 = 5;
/// How many requests an overview looks through for what is to be confirmed: a list does not know it.
const LOOKED_THROUGH: u16 = 100;
/// How many pages are looked through for one that is not empty.
const PAGES: usize = 20;
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
    /// Those that the system left without consideration by itself and that no official has confirmed or reversed, the last first
    #[arg(long)]
    to_confirm: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Section {
    Mine,
    Unassigned,
    DueSoonest,
    Overdue,
    WaitingForApproval,
    ToConfirm,
}

impl Chosen {
    fn section(&self) -> Option<Section> {
        let given = [
            (self.mine, Section::Mine),
            (self.unassigned, Section::Unassigned),
            (self.due_soonest, Section::DueSoonest),
            (self.overdue, Section::Overdue),
            (self.waiting_for_approval, Section::WaitingForApproval),
            (self.to_confirm, Section::ToConfirm),
        ];
        given.into_iter().find_map(|(given, section)| given.then_some(section))
    }
}

impl Queue {
    /// Shows the first rows of every section, or a page of one.
    pub(crate) async fn run(self, options: &Options) -> Result<(), Failure> {
        let me = commands::caller_name(options)?;
        let connection = commands::connect(options, ServiceName::RequestIntake)?;
        let Some(section) = self.chosen.section() else {
            return overview(&connection, &me, options).await;
        };
        let page = section.page(&connection, &me, self.page_size, self.page_token).await?;
        let requests = page["requests"].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut shown = format!("{}\n{}", section.title(&me), table(requests));
        let token = text(&page["nextPageToken"]);
        if !token.is_empty() {
            let more = format!(
                "requests queue --{} --page-size {} --page-token {token}",
                section.flag(),
                self.page_size
            );
            shown += &format!("\nmore: {}", hint(&more));
        }
        Ok(output::show(&page, options.output, &shown)?)
    }
}

/// The first rows of every section.
async fn overview(connection: &Connection, me: &str, options: &Options) -> Result<(), Failure> {
    let (mut whole, mut shown) = (Map::new(), Vec::new());
    for section in Section::ALL {
        let page = section.first(connection, me).await?;
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
    let all = hint(&format!("requests queue --{}", section.flag()));
    let requests = page["requests"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_all = text(&page["nextPageToken"]).is_empty() && requests.len() <= usize::from(FIRST);
    if requests.is_empty() {
        return match is_all {
            true => format!("{title}: none"),
            false => format!("{title}: none of the last; further back: {all}"),
        };
    }
    let more = match is_all {
        true => String::new(),
        false => format!(", the first of more; all: {all}"),
    };
    format!(
        "{title}{more}\n{}",
        table(&requests[..requests.len().min(FIRST.into())])
    )
}

fn table(requests: &[Value]) -> String {
    let rows: Value = requests.iter().map(row).collect();
    output::rows(&rows, &COLUMNS)
}

fn row(request: &Value) -> Value {
    let left = sheet::days_left(request).unwrap_or_default();
    let essence = cut(request["essence"].as_str().unwrap_or_default());
    // An anonymous one is forwarded at once; its sheet tells by which day.
    let essence = match request["reportsCrimeOrThreat"] == true {
        true => format!("CRIME OR THREAT: {essence}"),
        false => essence,
    };
    json!({
        "number": sheet::number(request),
        "due": request["dueDate"],
        "left": left.replace("overdue", "OVERDUE"),
        "requester": request["requester"]["fullName"],
        "essence": essence,
        "assignee": request["assignee"],
        "next": next::next(request),
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
    const ALL: [Self; 6] = [
        Self::Mine,
        Self::Unassigned,
        Self::DueSoonest,
        Self::Overdue,
        Self::WaitingForApproval,
        Self::ToConfirm,
    ];

    fn flag(self) -> &'static str {
        match self {
            Self::Mine => "mine",
            Self::Unassigned => "unassigned",
            Self::DueSoonest => "due-soonest",
            Self::Overdue => "overdue",
            Self::WaitingForApproval => "waiting-for-approval",
            Self::ToConfirm => "to-confirm",
        }
    }

    fn title(self, me: &str) -> String {
        match self {
            Self::Mine => format!("mine ({me})"),
            Self::ToConfirm => "decided by the system, to confirm".to_owned(),
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
            // What nobody has looked at is among the last, and of the many before somebody has looked at most.
            Self::ToConfirm => ("number desc", Some(json!(["REQUEST_STATE_LEFT_WITHOUT_CONSIDERATION"]))),
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

    /// The first rows of it.
    async fn first(self, connection: &Connection, me: &str) -> Result<Value, Failure> {
        if self != Self::ToConfirm {
            return self.page(connection, me, FIRST, None).await;
        }
        let mut request = self.request(me);
        request["pageSize"] = json!(LOOKED_THROUGH);
        let mut page = connection.call(&format!("{SERVICE}/ListRequests"), &request).await?;
        self.keep(&mut page);
        Ok(page)
    }

    /// A page of it. It is empty at the end, or when many were looked through in vain, with where to go on.
    async fn page(self, connection: &Connection, me: &str, size: u16, token: Option<String>) -> Result<Value, Failure> {
        let mut request = self.request(me);
        request["pageSize"] = json!(size);
        request["pageToken"] = json!(token.unwrap_or_default());
        let mut pages = 0;
        loop {
            let mut page = connection.call(&format!("{SERVICE}/ListRequests"), &request).await?;
            self.keep(&mut page);
            pages += 1;
            let is_empty = page["requests"].as_array().is_none_or(Vec::is_empty);
            let next = page["nextPageToken"].as_str().unwrap_or_default();
            if !is_empty || next.is_empty() || (self == Self::ToConfirm && pages == PAGES) {
                return Ok(page);
            }
            request["pageToken"] = json!(next);
        }
    }

    /// Leaves out what the list cannot.
    fn keep(self, page: &mut Value) {
        if let Some(requests) = page["requests"].as_array_mut().filter(|_| self == Self::ToConfirm) {
            requests.retain(next::is_to_confirm);
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
        let further = part(
            Section::ToConfirm,
            "aliya",
            &json!({ "requests": [], "nextPageToken": "t" }),
        );
        assert!(further.contains("`requests queue --to-confirm`"), "{further}");
    }

    #[test]
    fn what_an_official_has_looked_at_is_not_to_be_confirmed() {
        let left =
            |decisions: Value| json!({ "state": "REQUEST_STATE_LEFT_WITHOUT_CONSIDERATION", "decisions": decisions });
        let review = json!([{ "verb": "VERB_REVIEW_DECISION" }]);
        let mut page = json!({ "requests": [left(json!([])), left(review)] });
        Section::Mine.keep(&mut page);
        assert_eq!(page["requests"].as_array().map(Vec::len), Some(2));
        Section::ToConfirm.keep(&mut page);
        assert_eq!(page["requests"], json!([left(json!([]))]));
    }
}
