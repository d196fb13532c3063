//! `legalstat requests retention`, and the erasure of one request.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::{SERVICE, draft::Kind, filters::State};
use crate::{
    commands::{Action, Command, Mutation, date, forms::word, name, object, request, sheet::ORDERED},
    failure::Failure,
    output::View,
};

/// How long personal data are kept, by rules that one administrator enters and another approves; nothing is erased without one
#[derive(Subcommand, Debug)]
pub(crate) enum Retention {
    /// Enter a rule; with --validate-only it is told how many requests it would erase, and which is the first
    #[command(after_help = "Examples:
  legalstat requests retention add --as administrator --of individual --years 3 --from 2026-04-01 \\
      --act 'Order No. 7' --provision 'para 2' --reason 'The storage periods of 2026' --validate-only
  legalstat requests retention add --as administrator --of individual --of legal-entity --ended returned --months 6 --from 2026-04-01 \\
      --act 'Order No. 7' --provision 'para 3' --reason 'The storage periods of 2026'")]
    Add(Box<Rule>),
    /// Approve a rule that another administrator entered; what is due is erased from then on, which nothing undoes
    #[command(after_help = "Examples:
  legalstat certificates add --name second-administrator --role administrator
  legalstat requests retention approve retentionRules/UUID --as second-administrator

Another person than who entered it approves it, with a certificate of his own: the first command makes one.")]
    Approve {
        /// The rule, retentionRules/UUID
        rule: String,
        #[command(flatten)]
        mutation: Mutation,
    },
    /// End a rule at once; what it has erased stays erased
    #[command(after_help = "Example:
  legalstat requests retention end retentionRules/UUID --reason 'A longer time was ordered' --as administrator")]
    End {
        /// The rule, retentionRules/UUID
        rule: String,
        /// Why
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        mutation: Mutation,
    },
    /// One rule
    Show {
        /// The rule, retentionRules/UUID
        rule: String,
    },
    /// All rules that were ever entered
    List {
        /// Only rules in this state
        #[arg(long)]
        state: Option<RuleState>,
    },
}

/// A rule as it is entered.
#[derive(Args, Debug)]
pub(crate) struct Rule {
    /// Of which requesters; may be repeated
    #[arg(long, value_name = "KIND", required = true)]
    of: Vec<Kind>,
    /// Of requests that ended so; may be repeated [default: however they ended]
    #[arg(long, value_name = "STATE")]
    ended: Vec<State>,
    #[command(flatten)]
    period: Period,
    /// The first day on which it erases
    #[arg(long, value_name = "DATE", value_parser = date)]
    from: Value,
    /// The last day [default: open]
    #[arg(long, value_name = "DATE", value_parser = date)]
    to: Option<Value>,
    #[command(flatten)]
    law: Law,
    /// The words of the law in Kazakh
    #[arg(long)]
    kk: Option<String>,
    /// The words of the law in Russian
    #[arg(long)]
    ru: Option<String>,
    /// The words of the law in English
    #[arg(long)]
    en: Option<String>,
    /// Why
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    mutation: Mutation,
}

/// How long the data are kept once a request has ended.
#[derive(Args, Debug)]
#[group(required = true, multiple = true)]
pub(crate) struct Period {
    /// Years
    #[arg(long)]
    years: Option<i32>,
    /// Months
    #[arg(long)]
    months: Option<i32>,
    /// Days
    #[arg(long)]
    days: Option<i32>,
}

/// The law by which data are erased.
#[derive(Args, Debug)]
pub(crate) struct Law {
    /// The act
    #[arg(long)]
    act: String,
    /// Its article or paragraph
    #[arg(long)]
    provision: String,
    /// Where the act can be read
    #[arg(long)]
    uri: Option<String>,
}

impl Law {
    fn value(self) -> Value {
        json!({ "act": self.act, "provision": self.provision, "uri": self.uri })
    }
}

/// Whether a rule erases anything.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum RuleState {
    /// Not approved yet.
    Proposed,
    /// It erases.
    Approved,
    /// It erases no more.
    Ended,
}

const RULES: View = View::Rows(
    "retentionRules",
    &[
        ("rule", "name"),
        ("state", "state"),
        ("of", "requesterKinds"),
        ("years", "period.years"),
        ("months", "period.months"),
        ("days", "period.days"),
        ("from", "validFrom"),
        ("to", "validTo"),
        ("act", "legalBasis.act"),
        ("entered by", "createdBy"),
        ("approved by", "approvedBy"),
    ],
);

impl Retention {
    /// The command to carry out.
    pub(crate) fn command(self) -> Result<Command, Failure> {
        Ok(match self {
            Self::Add(rule) => rule.command()?,
            Self::Approve { rule, mutation } => mutating(
                "ApproveRetentionRule",
                &json!({ "name": named(&rule) }),
                &mutation,
                View::Record,
            )?,
            Self::End { rule, reason, mutation } => {
                let fields = json!({ "name": named(&rule), "reason": reason });
                mutating("EndRetentionRule", &fields, &mutation, View::Record)?
            }
            Self::Show { rule } => {
                let action = Action::Call(json!({ "name": named(&rule) }), View::Record);
                Command::new(SERVICE, "GetRetentionRule", action)
            }
            Self::List { state } => {
                let request = object([("state", state.map(|state| word(state, "RETENTION_RULE_STATE_")))]);
                Command::new(SERVICE, "ListRetentionRules", Action::List(request, RULES))
            }
        })
    }
}

impl Rule {
    fn command(self) -> Result<Command, Failure> {
        let Self {
            of,
            ended,
            period,
            from,
            to,
            law,
            kk,
            ru,
            en,
            reason,
            mutation,
        } = self;
        let kinds: Vec<Value> = of.into_iter().map(|kind| word(kind, "REQUESTER_KIND_")).collect();
        let states: Vec<Value> = ended.into_iter().map(|state| word(state, "REQUEST_STATE_")).collect();
        let text = object([
            ("kk", kk.map(Value::from)),
            ("ru", ru.map(Value::from)),
            ("en", en.map(Value::from)),
        ]);
        let rule = object([
            ("requesterKinds", Some(json!(kinds))),
            ("states", Some(json!(states))),
            (
                "period",
                Some(json!({ "years": period.years, "months": period.months, "days": period.days })),
            ),
            ("legalBasis", Some(law.value())),
            ("text", Some(text)),
            ("validFrom", Some(from)),
            ("validTo", to),
        ]);
        let fields = json!({ "retentionRule": rule, "reason": reason });
        mutating("CreateRetentionRule", &fields, &mutation, View::Record)
    }
}

fn named(rule: &str) -> String {
    name("retentionRules/", rule)
}

fn mutating(method: &'static str, fields: &Value, mutation: &Mutation, view: View) -> Result<Command, Failure> {
    let request = mutation.add_to(request(SERVICE, method, fields)?);
    Ok(Command::new(SERVICE, method, Action::Send(request, view)))
}

/// The erasure of one request by an order, which two administrators give.
#[derive(Args, Debug)]
pub(crate) struct Erase {
    /// The request: its registration number, its coupon's or its name, requests/UUID
    request: String,
    #[command(flatten)]
    law: Law,
    /// Why, without personal data: it stays
    #[arg(long)]
    reason: String,
    /// The request's etag as `requests get` tells it: what was erased cannot be brought back
    #[arg(long)]
    etag: String,
    #[command(flatten)]
    mutation: Mutation,
}

impl Erase {
    /// The request that is erased.
    pub(super) fn about(&mut self) -> &mut String {
        &mut self.request
    }

    /// The command to carry out.
    pub(crate) fn command(self) -> Result<Command, Failure> {
        let fields = json!({
            "name": name("requests/", &self.request),
            "legalBasis": self.law.value(),
            "reason": self.reason,
            "etag": self.etag,
        });
        mutating("EraseRequest", &fields, &self.mutation, ORDERED)
    }
}
