//! Examines requests, asking the other services once for all of them.

use std::time::Duration;

use crate::{
    clients::{calendar::Deadlines, form_registry::FormRegistry},
    domain::{
        evidence::{Answer, Evidence},
        examination::{self, Check, Examination, Formal},
        request::Submission,
        rules::Rules,
    },
};

/// The most that is waited for another service. What remains of a call is for accepting the request without the answer. In the tests of this
/// service others that are away say so at once, and those that are there are waited for, however busy the machine is.
pub const LONGEST: Duration = Duration::from_secs(if cfg!(test) { 30 } else { 1 });

/// Everything an examination asks.
pub struct Examiner {
    pub deadlines: Deadlines,
    pub form_registry: FormRegistry,
}

impl Examiner {
    /// Examines requests in their order. Those that the request alone decides need no other service; about the others each
    /// service is asked once.
    pub async fn examine(&self, submissions: &[&Submission], rules: &Rules, patience: Duration) -> Vec<Examination> {
        let formal = submissions
            .iter()
            .map(|submission| (*submission, examination::formal(submission, rules)));
        self.complete(formal.collect(), patience).await
    }

    /// Examines requests again, each with the checks whose rules an official has found kept.
    pub async fn examine_again(
        &self,
        submissions: &[(&Submission, &[Check])],
        rules: &Rules,
        patience: Duration,
    ) -> Vec<Examination> {
        let formal = submissions
            .iter()
            .map(|(submission, kept)| (*submission, examination::formal(submission, rules).reviewed(kept)));
        self.complete(formal.collect(), patience).await
    }

    async fn complete(&self, formal: Vec<(&Submission, Formal<'_>)>, patience: Duration) -> Vec<Examination> {
        let undecided = formal.iter().filter(|(_, formal)| !formal.decides());
        let undecided: Vec<&Submission> = undecided.map(|(submission, _)| *submission).collect();
        let (deadlines, findings) = tokio::join!(
            self.deadlines.of(&undecided, patience),
            self.form_registry.findings(&undecided, patience)
        );
        let mut evidence = deadlines.into_iter().zip(findings);
        let examined = formal.into_iter().map(|(_, formal)| {
            if formal.decides() {
                return formal.close();
            }
            let (deadline, findings) = evidence.next().unwrap_or((Answer::Away, Answer::Away));
            formal.complete(Evidence { deadline, findings })
        });
        examined.collect()
    }
}

/// An examination whose questions to other services are put off: it is completed later.
pub fn put_off(submission: &Submission, rules: &Rules) -> Examination {
    examination::formal(submission, rules).complete(Evidence {
        deadline: Answer::Away,
        findings: Answer::Away,
    })
}
