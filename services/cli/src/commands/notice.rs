//! `legalstat requests notice`: that a requester was told of a forwarding or an extension.

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::{
    connect, date,
    decisions::On,
    forms::word,
    name,
    requests::SERVICE,
    sheet::{list, number},
};
use crate::{failure::Failure, options::Options, output::text, place::ServiceName};

/// A notice of a decision.
#[derive(Args, Debug)]
pub(crate) struct Notice {
    #[command(flatten)]
    pub(super) on: On,
    /// The place of the decision among the request's, from 0 [default: the only one that waits for a notice]
    #[arg(long, value_name = "NUMBER")]
    decision: Option<usize>,
    /// The day on which the requester was told
    #[arg(long = "on", value_name = "DATE", value_parser = date)]
    day: Value,
    /// How the requester was told
    #[arg(long)]
    means: Means,
}

/// How a requester was told of a decision.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Means {
    /// By the Unified electronic document management system.
    UnifiedEdms,
    /// By Kadagalau.
    Kadagalau,
    /// By the e-government portal.
    EGovernment,
    /// By post.
    Post,
    /// In person.
    InPerson,
    /// By e-mail.
    Email,
    /// By telephone.
    Telephone,
}

impl Notice {
    /// Looks which decision waits for a notice, unless it is named.
    pub(super) async fn complete(&mut self, options: &Options) -> Result<(), Failure> {
        if self.decision.is_none() {
            let connection = connect(options, ServiceName::RequestIntake)?;
            let asked = json!({ "name": name("requests/", &self.on.name) });
            let request = connection.call(&format!("{SERVICE}/GetRequest"), &asked).await?;
            self.decision = Some(the_one(&request)?);
        }
        Ok(())
    }

    /// The request, and what is said of it.
    pub(super) fn fields(self) -> (On, Value) {
        let means = word(self.means, "NOTICE_MEANS_");
        let fields = json!({ "decision": self.decision, "notifiedOn": self.day, "means": means });
        (self.on, fields)
    }
}

/// The decisions on a request of which its requester is still to be told, each with its place.
pub(super) fn untold(request: &Value) -> Vec<(usize, &Value)> {
    let is_untold = |decision: &Value| {
        ["VERB_FORWARD", "VERB_FORWARD_ITEMS", "VERB_EXTEND"].contains(&text(&decision["verb"]).as_str())
            && decision["notice"].is_null()
            && decision["notifiedOn"].is_null()
    };
    let decisions = list(&request["decisions"]).iter().enumerate();
    decisions.filter(|(_, decision)| is_untold(decision)).collect()
}

fn the_one(request: &Value) -> Result<usize, Failure> {
    let untold = untold(request);
    if let [(place, _)] = untold[..] {
        return Ok(place);
    }
    let number = number(request);
    let told = |(place, decision): &(usize, &Value)| {
        let verb = text(&decision["verb"]);
        let verb = verb.trim_start_matches("VERB_");
        format!("\n  --decision {place} is {verb} of {}", text(&decision["decidedAt"]))
    };
    Err(Failure::usage(if untold.is_empty() {
        format!(
            "no decision on {number} waits for a notice: neither a forwarding nor an extension of which nobody was told"
        )
    } else {
        let places: String = untold.iter().map(told).collect();
        format!("say of which decision on {number}:{places}")
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_decision_that_waits_for_a_notice_is_found_and_of_several_one_is_to_be_named() {
        let decision = |verb: &str| json!({ "verb": format!("VERB_{verb}"), "decidedAt": "2026-03-02T05:00:00Z" });
        let told = |name: &str| {
            let mut told = decision("EXTEND");
            told[name] = json!({ "year": 2026, "month": 3, "day": 2 });
            told
        };
        let of = |decisions: Vec<Value>| json!({ "registrationNumber": "2026-000007", "decisions": decisions });
        let one = of(vec![
            decision("ASSIGN"),
            told("notice"),
            told("notifiedOn"),
            decision("FORWARD_ITEMS"),
        ]);
        assert_eq!(the_one(&one).expect("there is one"), 3);
        let none = the_one(&of(vec![decision("ASSIGN"), told("notice")])).expect_err("there is none");
        assert!(none.to_string().contains("no decision on 2026-000007 waits"), "{none}");
        let several = the_one(&of(vec![decision("FORWARD_ITEMS"), decision("EXTEND")])).expect_err("there are two");
        assert!(several.to_string().contains("--decision 1 is EXTEND"), "{several}");
    }
}
