//! The life as a model: random verbs by random callers at random times on a moved clock. Whatever is asked, no request stands where
//! the life does not lead, nothing changes without a journal entry and an event, no due date is without its explanation, and who
//! watches from the first event on has the state and the due date of each request after every one of them.

use std::{collections::BTreeMap, sync::atomic::Ordering};

use jiff::{Timestamp, ToSpan};
use legalstat_proto::{
    calendar::v1::RequesterKind,
    requests::v1::{
        self as proto, AssignRequestRequest, Channel, CheckReview, CheckRule, ListRequestsRequest, Notice,
        RequestEvent, RequestState, RequestView, Verb, Verdict, WatchRequestsRequest, WithdrawRequestRequest,
    },
};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use tonic::{Code, Response, Status};
use uuid::Uuid;

use super::{
    answer_calls::{UNTOLD, approval, approve, dispatch, dispatch_of, draft_of, read, update},
    stage::{Client, NOW, recorded, request, submission},
    verbs::{Desk, clarification, extension, forwarding, leaving, person, question, returning, review, termination},
    watching::{all, watch},
};

/// How many calls are made unless the environment says otherwise.
const STEPS: usize = 250;
/// Who calls; those who may do more call more often. An auditor may only look on.
const CALLERS: [&str; 7] = [
    "operator",
    "approver",
    "operator",
    "approver",
    "edms",
    "kadagalau",
    "auditor",
];

/// Where each verb may lead from where, as the contract tells it.
fn leads(verb: Verb, before: RequestState) -> Vec<RequestState> {
    use RequestState::*;
    let goes_on = [Received, AwaitingClarification, Registered, InPreparation].contains(&before);
    match verb {
        Verb::Assign if before == Registered => vec![InPreparation],
        Verb::Correct | Verb::ReviewDecision if before == AwaitingClarification => vec![before, Received],
        Verb::Assign | Verb::Correct if goes_on => vec![before],
        Verb::Withdraw if goes_on => vec![Withdrawn],
        Verb::Terminate if goes_on => vec![Terminated],
        Verb::LeaveWithoutConsideration if goes_on => vec![LeftWithoutConsideration],
        Verb::Forward if goes_on => vec![Forwarded, before],
        Verb::AskClarification if goes_on => vec![AwaitingClarification],
        Verb::ProvideClarification if before == AwaitingClarification => vec![Received, Registered, InPreparation],
        Verb::Return if before == AwaitingClarification => vec![Returned],
        Verb::Extend if goes_on && before != Received => vec![before],
        Verb::DraftAnswer if [Registered, InPreparation].contains(&before) => vec![InPreparation],
        Verb::UpdateAnswer | Verb::ApproveAnswer if before == InPreparation => vec![before],
        Verb::RecordDispatch if before == InPreparation => vec![Answered],
        Verb::ReviewDecision if before == LeftWithoutConsideration => vec![before, Received],
        Verb::ReviewDecision if goes_on => vec![before],
        _ => vec![],
    }
}

/// Where an examination may lead.
fn examined(before: RequestState) -> Vec<RequestState> {
    use RequestState::*;
    match before {
        Received => vec![Received, Registered, AwaitingClarification, LeftWithoutConsideration],
        // It stays as it was, which is all that is told.
        Registered | InPreparation => vec![Unspecified],
        _ => vec![],
    }
}

struct Model {
    desk: Desk,
    random: StdRng,
    now: Timestamp,
    /// The state in which each request was accepted.
    accepted: BTreeMap<String, RequestState>,
    refused: usize,
    done: usize,
}

impl Model {
    fn any(&mut self, below: usize) -> usize {
        self.random.random_range(0..below)
    }

    async fn submit(&mut self) {
        let mut caller = "operator";
        let mut request = match self.any(6) {
            0 => recorded(Channel::Paper),
            1 => proto::Request {
                signatory: None,
                ..recorded(Channel::Oral)
            },
            2 => {
                caller = "edms";
                request()
            }
            3 => {
                caller = "kadagalau";
                of_prosecutor()
            }
            _ => person(),
        };
        if self.any(3) == 0 {
            request.items[0].unit = 0;
        }
        if self.any(3) == 0 {
            let second = request.items[0].clone();
            request.items.push(second);
        }
        let accepted = self.desk.stage.client(caller).submit_request(submission(request)).await;
        let accepted = accepted.expect("it is accepted").into_inner();
        self.accepted.insert(accepted.name.clone(), accepted.state());
    }

    /// A random request; one that has ended seldom.
    async fn one(&mut self) -> proto::Request {
        let mut tries = 4;
        loop {
            let place = self.any(self.accepted.len());
            let name = self.accepted.keys().nth(place).expect("it is one of them").clone();
            let request = proto::Request {
                name,
                ..Default::default()
            };
            let request = self.desk.get(&request).await;
            tries -= 1;
            if tries == 0 || !leads(Verb::Withdraw, request.state()).is_empty() {
                return request;
            }
        }
    }

    /// Asks for a random verb on a random request.
    async fn decide(&mut self) {
        let before = self.one().await;
        let caller = CALLERS[self.any(CALLERS.len())];
        let mut client = self.desk.stage.client(caller);
        let asked = self.verb(&mut client, &before).await;
        if let Some(after) = self.count(asked) {
            assert_eq!(after.into_inner().name, before.name);
        }
    }

    /// Takes a random request some steps towards its answer, each as far as the one before was done.
    async fn answer(&mut self) {
        let request = self.one().await;
        let (mut operator, mut approver) = (self.desk.operator(), self.desk.approver());
        let drafted = operator
            .draft_answer(draft_of(&request))
            .await
            .map(Response::into_inner);
        let Some(drafted) = self.count(drafted) else { return };
        let approved = approve(&mut approver, approval(&drafted, UNTOLD)).await;
        let Some(approved) = self.count(approved).filter(|_| self.any(3) > 0) else {
            return;
        };
        let dispatched = dispatch(&mut operator, dispatch_of(&approved)).await;
        self.count(dispatched);
    }

    /// Counts what was done, and what was refused as the contract says.
    fn count<T>(&mut self, asked: Result<T, Status>) -> Option<T> {
        match asked {
            Ok(done) => {
                self.done += 1;
                Some(done)
            }
            Err(status) => {
                self.refused += 1;
                let expected = [
                    Code::FailedPrecondition,
                    Code::InvalidArgument,
                    Code::PermissionDenied,
                    Code::NotFound,
                    // The job examined it meanwhile.
                    Code::Aborted,
                ];
                assert!(expected.contains(&status.code()), "{status:?}");
                None
            }
        }
    }

    async fn verb(
        &mut self,
        client: &mut Client,
        request: &proto::Request,
    ) -> Result<Response<proto::Request>, Status> {
        let request_id = Uuid::new_v4().to_string();
        match self.any(18) {
            0 => {
                let message = AssignRequestRequest {
                    name: request.name.clone(),
                    assignee: CALLERS[self.any(2)].into(),
                    request_id,
                    ..Default::default()
                };
                client.assign_request(message).await
            }
            1 if self.any(3) == 0 => {
                let message = WithdrawRequestRequest {
                    name: request.name.clone(),
                    reason: "by letter".into(),
                    request_id,
                    ..Default::default()
                };
                client.withdraw_request(message).await
            }
            2 if self.any(3) == 0 => {
                let ground = ["OPENLY_AVAILABLE", "NONE"][self.any(2)];
                client.leave_without_consideration(leaving(request, ground)).await
            }
            3 if self.any(3) == 0 => client.terminate_request(termination(request, "REPEATED")).await,
            4 => client.return_request(returning(request)).await,
            5 if self.any(3) == 0 => client.forward_request(forwarding(request, &[])).await,
            6 => client.forward_request(forwarding(request, &[1])).await,
            7 => {
                let field = ["essence", "items[0].period"][self.any(2)];
                client.ask_clarification(question(request, &[field])).await
            }
            8 => {
                let mut items = request.items.clone();
                items[0].unit = proto::Unit::Crime.into();
                client.provide_clarification(clarification(request, Some(items))).await
            }
            9 => client.extend_request(extension(request)).await,
            10 | 11 => {
                let answer = client.draft_answer(draft_of(request)).await?;
                Ok(of_answer(answer))
            }
            12 => {
                let stands = read(client, request).await?;
                Ok(of_answer(Response::new(update(client, &stands).await?)))
            }
            13 | 14 => {
                let stands = read(&mut self.desk.approver(), request).await?;
                Ok(of_answer(Response::new(
                    approve(client, approval(&stands, UNTOLD)).await?,
                )))
            }
            15 => {
                let stands = read(client, request).await?;
                Ok(of_answer(Response::new(dispatch(client, dispatch_of(&stands)).await?)))
            }
            16 => {
                let verdict = [Verdict::Kept, Verdict::Broken][self.any(2)];
                let (rule, field) = [(CheckRule::Written, "channel"), (CheckRule::Unit, "items[0].unit")][self.any(2)];
                let check = CheckReview {
                    rule: rule.into(),
                    field: field.into(),
                    verdict: verdict.into(),
                };
                client.review_decision(review(request, vec![check])).await
            }
            _ => {
                let message = proto::CorrectRequestRequest {
                    name: request.name.clone(),
                    request: Some(proto::Request {
                        essence: format!("crimes of a quarter, {}", self.any(3)),
                        ..Default::default()
                    }),
                    update_mask: Some(prost_types::FieldMask {
                        paths: vec!["essence".into()],
                    }),
                    reason: "mistyped".into(),
                    request_id,
                    ..Default::default()
                };
                client.correct_request(message).await
            }
        }
    }

    fn move_clock(&mut self) {
        let hours = i64::try_from(self.any(72)).expect("it is small");
        self.now = self.now.saturating_add(hours.hours()).expect("hours are added");
        self.desk.set_clock(&self.now.to_string());
    }

    /// Waits until nothing is to be examined any more, and every stop of a clock is counted.
    async fn settle(&self) {
        let waits = "SELECT (SELECT count(*) FROM requests.request WHERE examination_pending)
            + (SELECT count(*) FROM requests.clock_stop s JOIN requests.request r ON r.id = s.request
               WHERE NOT s.counted AND r.due_date IS NOT NULL AND r.due_by_hand IS NULL
                  OR s.restarted_at IS NULL AND requests.ended_at(s) IS NOT NULL)";
        let settled = async {
            while self.desk.stage.count(waits).await > 0 {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(120), settled)
            .await
            .expect("all are examined");
    }

    async fn check(&self) {
        let mut auditor = self.desk.stage.client("auditor");
        let listed = auditor.list_requests(ListRequestsRequest {
            page_size: 1000,
            view: RequestView::Full.into(),
            ..Default::default()
        });
        let listed = listed.await.expect("they are listed").into_inner().requests;
        assert_eq!(listed.len(), self.accepted.len());
        let mut feed = watch(&self.desk.stage, "auditor", WatchRequestsRequest::default()).await;
        let mut events: BTreeMap<String, Vec<(String, RequestEvent)>> = BTreeMap::new();
        for told in all(&mut feed).await.0 {
            if let Some((event, of)) = told.event.zip(told.request_event) {
                events.entry(of.request.clone()).or_default().push((event.kind, of));
            }
        }
        for request in &listed {
            let explained = request
                .deadline
                .as_ref()
                .is_some_and(|deadline| !deadline.steps.is_empty());
            assert_eq!(request.due_date.is_some(), explained, "{request:?}");
            let registered = [RequestState::Registered, RequestState::InPreparation].contains(&request.state());
            assert!(!registered || explained, "{request:?}");
            self.replay(request, &events[&request.name]);
        }
        let unlike = "SELECT count(*) FROM (
                SELECT resource, count(*) AS events FROM requests.outbox_event GROUP BY resource) AS told
            FULL JOIN (
                SELECT resource, count(*) AS entries FROM requests.journal_entry WHERE outcome <> 'REFUSED'
                GROUP BY resource) AS entered USING (resource)
            WHERE events IS DISTINCT FROM entries";
        assert_eq!(
            self.desk.stage.count(unlike).await,
            0,
            "as many events as entries of each"
        );
        let decided =
            "SELECT count(*) FROM requests.decision WHERE decided_by IN ('operator', 'approver', 'edms', 'kadagalau')";
        let repeated = "SELECT count(*) FROM requests.journal_entry WHERE outcome = 'REPEATED'";
        let done = self.desk.stage.count(decided).await + self.desk.stage.count(repeated).await;
        assert_eq!(usize::try_from(done).expect("it is small"), self.done);
    }

    /// Goes through what a watcher is told of a request from the first event on.
    fn replay(&self, request: &proto::Request, events: &[(String, RequestEvent)]) {
        let kinds: Vec<&str> = events.iter().map(|(kind, _)| kind.as_str()).collect();
        let mut decisions = request.decisions.iter().peekable();
        let (first, mut numbered) = (&events[0].1, 0);
        assert_eq!(
            (kinds[0], first.state()),
            ("request.accepted", self.accepted[&request.name])
        );
        let (mut state, mut due_date) = (first.state(), first.due_date);
        for (place, (kind, told)) in events.iter().enumerate() {
            numbered += told.notices().filter(|notice| *notice == Notice::Registered).count();
            let warns = ["request.due_soon", "request.overdue"].contains(&kind.as_str());
            if place == 0 || warns || kind.ends_with("_repeated") {
                continue;
            }
            if ["request.due_date_moved", "request.due_date_restated"].contains(&kind.as_str()) {
                due_date = told.due_date;
                continue;
            }
            if kind == "request.examined" {
                let leads = examined(state);
                assert!(leads.contains(&told.state()), "{state:?} {:?} {kinds:?}", told.state());
                if told.state() == RequestState::Unspecified {
                    assert_eq!(told.due_date, None, "{kinds:?}");
                    continue;
                }
                due_date = told.due_date;
            } else {
                let decision = decisions.next().expect("each event is of a decision");
                assert_eq!(event(decision), kind, "{kinds:?}");
                assert_eq!(decision.state_before(), state, "{kinds:?}");
                let leads = leads(decision.verb(), state);
                assert!(leads.contains(&decision.state_after()), "{decision:?}");
                assert!(decision.legal_basis.is_some(), "{decision:?}");
                assert_eq!(told.state(), decision.state_after(), "{kinds:?}");
                if kind == "request.extended" {
                    due_date = decision.until;
                }
            }
            state = told.state();
            assert_eq!(told.due_date, due_date, "{kind} of {kinds:?}");
        }
        assert_eq!((state, due_date), (request.state(), request.due_date), "{kinds:?}");
        assert_eq!(decisions.next(), None, "{kinds:?}");
        let registered = usize::from(!request.registration_number.is_empty());
        assert_eq!(numbered, registered, "a number is told once: {kinds:?}");
    }
}

/// A request of a prosecutor's body, through its own system.
fn of_prosecutor() -> proto::Request {
    let mut own = request();
    own.requester.as_mut().expect("it has one").kind = RequesterKind::ProsecutorBody.into();
    own.channel = Channel::Kadagalau.into();
    own
}

/// The request of an answer.
fn of_answer(answer: Response<proto::Answer>) -> Response<proto::Request> {
    answer.map(|answer| proto::Request {
        name: answer.name.trim_end_matches("/answer").into(),
        ..Default::default()
    })
}

fn event(decision: &proto::Decision) -> &'static str {
    match decision.verb() {
        Verb::Assign => "request.assigned",
        Verb::Withdraw => "request.withdrawn",
        Verb::ReviewDecision => "request.decision_reviewed",
        Verb::Correct => "request.corrected",
        Verb::AskClarification => "request.clarification_asked",
        Verb::ProvideClarification => "request.clarification_provided",
        Verb::Extend => "request.extended",
        Verb::Forward if decision.items.is_empty() => "request.forwarded",
        Verb::Forward => "request.items_forwarded",
        Verb::LeaveWithoutConsideration => "request.left_without_consideration",
        Verb::Return => "request.returned",
        Verb::Terminate => "request.terminated",
        Verb::DraftAnswer => "request.answer_drafted",
        Verb::UpdateAnswer => "request.answer_edited",
        Verb::ApproveAnswer => "request.answer_approved",
        Verb::RecordDispatch => "request.answered",
        _ => "none",
    }
}

#[tokio::test]
async fn whatever_is_asked_in_whatever_order_a_request_stands_where_its_life_leads() {
    let given = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let (seed, steps) = (
        given("LEGALSTAT_MODEL_SEED").unwrap_or(1),
        given("LEGALSTAT_MODEL_STEPS"),
    );
    let steps = steps.map_or(STEPS, |steps| usize::try_from(steps).expect("so many steps"));
    let mut model = Model {
        desk: Desk::open().await,
        random: StdRng::seed_from_u64(seed),
        now: NOW.parse().expect("an instant"),
        accepted: BTreeMap::new(),
        refused: 0,
        done: 0,
    };
    // The terms let their clocks stop: a question and an answer to it move due dates too.
    let answers = &model.desk.stage.fakes.answers;
    answers.clock_stops.store(true, Ordering::SeqCst);
    model.submit().await;
    for step in 0..steps {
        match model.any(10) {
            0 | 1 => model.submit().await,
            2 => model.move_clock(),
            3 => model.answer().await,
            _ => model.decide().await,
        }
        if step % 50 == 49 {
            model.settle().await;
            model.check().await;
        }
    }
    model.settle().await;
    model.check().await;
    assert!(
        model.done > steps / 10 && model.refused > steps / 10,
        "{} done, {} refused",
        model.done,
        model.refused
    );
    let answered = "SELECT count(*) FROM requests.request WHERE state = 'ANSWERED'";
    assert!(model.desk.stage.count(answered).await > 0, "some are answered");
    let moved = "SELECT count(*) FROM requests.outbox_event WHERE kind = 'request.due_date_moved'";
    assert!(model.desk.stage.count(moved).await > 0, "some clocks stood still");
}
