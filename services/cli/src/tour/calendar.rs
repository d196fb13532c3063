use serde_json::json;

use super::{Tour, date, ensure, text};
use crate::failure::Failure;

const GET_DAY: &str = "legalstat.calendar.v1.CalendarService/GetDay";
const COMPUTE_DEADLINE: &str = "legalstat.calendar.v1.CalendarService/ComputeDeadline";

impl Tour {
    pub(super) async fn calendar(&mut self) -> Result<(), Failure> {
        self.chapter("The calendar")?;
        self.days().await?;
        self.obligations().await?;
        self.term().await
    }

    async fn days(&mut self) -> Result<(), Failure> {
        for (day, kind, paragraph) in [
            ("2019-07-14", "DAY_KIND_WEEKEND", "an ordinary Sunday (para 13)"),
            (
                "2017-12-18",
                "DAY_KIND_ROLLED_DAY_OFF",
                "off for a holiday that fell on a Saturday",
            ),
            (
                "2025-01-05",
                "DAY_KIND_TRANSFERRED_WORKING_DAY",
                "a Sunday that was worked",
            ),
        ] {
            let response = self
                .call(None, GET_DAY, &json!({ "name": format!("days/{day}") }), paragraph)
                .await?;
            ensure(response["kind"] == kind, &format!("{day} is {kind}"))?;
            let reasons = response["reasons"].as_array().into_iter().flatten();
            for reason in reasons {
                self.came_back(&format!("{} [{}]", text(&reason["text"]), text(&reason["legalBasis"])))?;
            }
        }
        Ok(())
    }

    async fn obligations(&mut self) -> Result<(), Failure> {
        for (period, due_day, due, paragraph) in [
            (
                "2019-Q2",
                14,
                date(2019, 7, 15),
                "quarterly collections for 2019-Q2 (paras 12 and 13)",
            ),
            (
                "2024-M12",
                5,
                date(2025, 1, 5),
                "form 1 for December 2024 (Appendix 2, No. 1)",
            ),
        ] {
            let request = json!({ "obligation": { "period": period, "dueDay": due_day, "rollForward": true } });
            let response = self.call(None, COMPUTE_DEADLINE, &request, paragraph).await?;
            ensure(
                response["dueDate"] == due,
                &format!("{period} is due on {}", text(&due)),
            )?;
            self.explain(&response)?;
        }
        Ok(())
    }

    async fn term(&mut self) -> Result<(), Failure> {
        let start = json!({ "requesterKind": "REQUESTER_KIND_INDIVIDUAL", "receivedAt": "2025-03-14T05:00:00Z" });
        let request = json!({ "termStart": start });
        let paragraph = "15 working days for a person's request (para 6; Code 350-VI, art. 76)";
        let response = self.call(None, COMPUTE_DEADLINE, &request, paragraph).await?;
        ensure(
            response["dueDate"] == date(2025, 4, 9),
            "15 working days over Nauryz end on 9 April 2025",
        )?;
        self.explain(&response)
    }

    pub(super) fn explain(&self, deadline: &serde_json::Value) -> Result<(), Failure> {
        for step in deadline["steps"].as_array().into_iter().flatten() {
            let (date, effect) = (text(&step["date"]), text(&step["effect"]));
            self.came_back(&format!(
                "{date} {effect:<8} {} [{}]",
                text(&step["text"]),
                text(&step["legalBasis"])
            ))?;
        }
        let notes = ["provisional", "assumed"]
            .into_iter()
            .filter(|note| deadline[note] == true);
        let notes: Vec<&str> = notes.collect();
        self.came_back(&format!("due {} {}", text(&deadline["dueDate"]), notes.join(", ")))
    }
}
