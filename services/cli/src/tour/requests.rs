use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use super::{Tour, ensure, text};
use crate::{failure::Failure, place::ServiceName};

/// How long between two looks at whether a request is examined.
const PAUSE: Duration = Duration::from_millis(200);

const SUBMIT: &str = "legalstat.requests.v1.RequestIntakeService/SubmitRequest";
const STATUS: &str = "legalstat.requests.v1.RequestIntakeService/GetRequestStatus";
const GET: &str = "legalstat.requests.v1.RequestIntakeService/GetRequest";

impl Tour {
    pub(super) async fn requests(&mut self) -> Result<(), Failure> {
        self.chapter("Requests")?;
        let registered = self.registered().await?;
        self.read_back(&registered).await?;
        self.status(&registered).await?;
        for (caller, request, paragraph) in left_without_consideration() {
            let response = self.change(caller, SUBMIT, &submission(request), paragraph).await?;
            ensure(
                response["state"] == "REQUEST_STATE_LEFT_WITHOUT_CONSIDERATION",
                "the request is left without consideration",
            )?;
            self.checks(&response, "CHECK_OUTCOME_FAILED", "para 7")?;
        }
        let mut request = body_request();
        request["items"][0]["period"] = json!("");
        let paragraph = "a request without its period asks for clarification (para 8)";
        let response = self.change("edms", SUBMIT, &submission(request), paragraph).await?;
        ensure(
            response["state"] == "REQUEST_STATE_AWAITING_CLARIFICATION",
            "the requester is asked",
        )?;
        self.checks(&response, "CHECK_OUTCOME_FAILED", "para 8")?;
        let mut request = body_request();
        request["requester"]["bin"] = json!("160940004325");
        request["items"][0]["period"] = json!("2019-Q5");
        let paragraph = "a wrong control digit and a period that does not exist";
        self.refused(Some("edms"), SUBMIT, &submission(request), "INVALID_FIELDS", paragraph)
            .await
    }

    async fn registered(&mut self) -> Result<Value, Failure> {
        let submission = submission(body_request());
        let paragraph = "a state body's request through the Unified EDMS, signed by its head (paras 6 to 8)";
        let response = self.change("edms", SUBMIT, &submission, paragraph).await?;
        ensure(!text(&response["coupon"]["number"]).is_empty(), "it has a coupon")?;
        let registered = self.examined("edms", &response).await?;
        ensure(
            registered["state"] == "REQUEST_STATE_REGISTERED",
            "the request is registered",
        )?;
        ensure(
            !text(&registered["registrationNumber"]).is_empty(),
            "it has a registration number",
        )?;
        ensure(registered["dueDate"].is_object(), "it has a due date")?;
        let (coupon, number) = (
            text(&registered["coupon"]["number"]),
            text(&registered["registrationNumber"]),
        );
        self.came_back(&format!("coupon {coupon}, number {number}"))?;
        self.explain(&registered["deadline"])?;
        let again = self
            .call(
                Some("edms"),
                SUBMIT,
                &submission,
                "the same call again has the same answer",
            )
            .await?;
        ensure(again == response, "the same call again has the same answer")?;
        self.came_back("the same answer")?;
        Ok(registered)
    }

    /// A request that was accepted as it stands once it is examined, with the coupon of the answer, whose secret is told once. Where other
    /// services take longer than the call waits for them, the examination follows by itself.
    async fn examined(&mut self, caller: &str, accepted: &Value) -> Result<Value, Failure> {
        let deadline = Instant::now() + self.place.timeout();
        let connection = self.connection(ServiceName::RequestIntake, Some(caller))?;
        let mut request = accepted.clone();
        while request["state"] == "REQUEST_STATE_RECEIVED" && Instant::now() < deadline {
            tokio::time::sleep(PAUSE).await;
            request = connection.call(GET, &json!({ "name": accepted["name"] })).await?;
        }
        request["coupon"] = accepted["coupon"].clone();
        Ok(request)
    }

    async fn read_back(&mut self, registered: &Value) -> Result<(), Failure> {
        let request = json!({ "name": registered["name"] });
        let read = self
            .call(Some("operator"), GET, &request, "every check with its outcome and law")
            .await?;
        ensure(
            read["registrationNumber"] == registered["registrationNumber"],
            "it is the same request",
        )?;
        for check in read["examination"]["checks"].as_array().into_iter().flatten() {
            ensure(!text(&check["legalBasis"]).is_empty(), "every check cites its law")?;
            let (rule, outcome) = (text(&check["rule"]), text(&check["outcome"]));
            self.came_back(&format!(
                "{rule:<20} {outcome:<15} {} [{}]",
                text(&check["text"]),
                text(&check["legalBasis"])
            ))?;
        }
        let paragraph = "another system does not see it";
        self.refused(Some("kadagalau"), GET, &request, "RESOURCE_NOT_FOUND", paragraph)
            .await
    }

    async fn status(&mut self, registered: &Value) -> Result<(), Failure> {
        let coupon = &registered["coupon"];
        let mut held = json!({ "couponNumber": coupon["number"], "secret": coupon["secret"] });
        let paragraph = "whoever holds the coupon learns where the request stands (Code 350-VI, art. 64)";
        let status = self.call(None, STATUS, &held, paragraph).await?;
        ensure(status["dueDate"] == registered["dueDate"], "it tells the due date")?;
        self.came_back(&format!(
            "{} {}",
            text(&status["stands"]["text"]),
            text(&status["awaited"]["text"])
        ))?;
        held["secret"] = json!("00000-00000-00000-00000");
        let paragraph = "another secret does not tell it";
        self.refused(None, STATUS, &held, "RESOURCE_NOT_FOUND", paragraph).await
    }

    /// Shows the checks with an outcome, of which one must rest on the provision.
    fn checks(&self, response: &Value, outcome: &str, provision: &str) -> Result<(), Failure> {
        let checks = response["examination"]["checks"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let found: Vec<&Value> = checks.iter().filter(|check| check["outcome"] == outcome).collect();
        let cites = |check: &&Value| text(&check["legalBasis"]).contains(provision);
        ensure(
            found.iter().any(cites),
            &format!("a check fails by the Instruction, {provision}"),
        )?;
        for check in found {
            self.came_back(&format!("{} [{}]", text(&check["text"]), text(&check["legalBasis"])))?;
        }
        Ok(())
    }
}

fn submission(request: Value) -> Value {
    json!({ "request": request, "requestId": Uuid::new_v4().to_string() })
}

fn body_request() -> Value {
    let number = Uuid::new_v4().simple().to_string();
    json!({
        "requester": { "kind": "REQUESTER_KIND_STATE_BODY", "fullName": "Ministry of Justice", "bin": "160340014245" },
        "signatory": { "fullName": "The head of the ministry", "capacity": "SIGNATORY_CAPACITY_HEAD" },
        "channel": "CHANNEL_UNIFIED_EDMS",
        "externalNumber": format!("tour-{}", &number[..12]),
        "externalDate": { "year": 2026, "month": 1, "day": 15 },
        "essence": "Registered crimes in the fourth quarter of 2025",
        "language": "LANGUAGE_RU",
        "items": [{
            "kind": "ITEM_KIND_STATISTICS", "description": "Registered crimes", "unit": "UNIT_CRIME", "period": "2025-Q4",
        }],
    })
}

/// Requests that come as they must not, or for what is not given.
fn left_without_consideration() -> [(&'static str, Value, &'static str); 3] {
    let otherwise = |channel: &str| {
        let mut request = body_request();
        request["channel"] = json!(channel);
        for field in ["externalNumber", "externalDate", "signatory"] {
            request.as_object_mut().map(|fields| fields.remove(field));
        }
        request
    };
    let mut copies = body_request();
    copies["items"][0]["kind"] = json!("ITEM_KIND_ACCOUNTING_DOCUMENT_COPY");
    [
        ("operator", otherwise("CHANNEL_ORAL"), "an oral request (para 7)"),
        (
            "operator",
            otherwise("CHANNEL_MESSENGER"),
            "a request by messenger (para 7)",
        ),
        ("edms", copies, "a request for copies of accounting documents (para 7)"),
    ]
}
