use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Tour, choose, ensure, request_id, text};
use crate::failure::Failure;

const SERVICE: &str = "legalstat.collections.v1.CollectionDistributionService";
const RECIPIENT: &str = "supreme-court";
const OTHER_RECIPIENT: &str = "senate";

fn method(name: &str) -> String {
    format!("{SERVICE}/{name}")
}

impl Tour {
    pub(super) async fn collections(&mut self) -> Result<(), Failure> {
        self.chapter("The collections")?;
        let request = json!({ "year": 2024 });
        let schedule = self
            .call(
                None,
                &method("ListSchedule"),
                &request,
                "the year's schedule (paras 12 and 13)",
            )
            .await?;
        ensure(
            schedule["items"].as_array().map(Vec::len) == Some(22),
            "a year has 22 editions",
        )?;
        self.came_back("22 editions, each with its due date")?;
        let edition = self.release().await?;
        self.copies(&edition).await?;
        self.unresolved().await
    }

    async fn release(&mut self) -> Result<String, Failure> {
        let request = json!({ "parent": "collections/crime" });
        let editions = self
            .call(
                Some("operator"),
                &method("ListEditions"),
                &request,
                "what waits to be sent",
            )
            .await?;
        let edition = choose(&editions).unwrap_or_default();
        self.came_back(&format!("chosen: {edition}"))?;
        let content = format!("The crime collection, {edition}\n");
        let sha256 = hex::encode(Sha256::digest(&content));
        let header = json!({
            "name": edition, "filename": "crime.txt", "contentType": "text/plain", "sha256": sha256,
            "requestId": request_id(&edition, "upload"),
        });
        self.upload(
            &method("UploadEditionContent"),
            &header,
            &content,
            "the content, in electronic form (para 12)",
        )
        .await?;
        let request = json!({ "name": edition, "sha256": sha256, "requestId": request_id(&edition, "seal") });
        let sealed = self
            .change(
                "operator",
                &method("SealEdition"),
                &request,
                "sealed by its digest (para 12(1))",
            )
            .await?;
        self.came_back(&format!("sealed at {}: SHA-256 {sha256}", text(&sealed["sealedAt"])))?;
        let request = json!({ "name": edition, "requestId": request_id(&edition, "release") });
        let paragraph = "numbered copies to every recipient (para 11, Appendix 1)";
        let released = self
            .change("approver", &method("ReleaseEdition"), &request, paragraph)
            .await?;
        ensure(released["copiesIssued"] == 33, "the crime collection has 33 copies")?;

        let request = json!({ "parent": edition });
        let copies = self
            .call(
                Some("operator"),
                &method("ListCopies"),
                &request,
                "the register of copies (Appendix 1)",
            )
            .await?;
        let list = copies["copies"].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut recipients: Vec<String> = list.iter().map(|copy| text(&copy["recipient"])).collect();
        recipients.dedup();
        ensure(
            list.len() == 33 && recipients.len() == 23,
            "33 copies go to 23 recipients",
        )?;
        self.came_back("33 numbered copies for 23 recipients")?;
        Ok(edition)
    }

    async fn copies(&mut self, edition: &str) -> Result<(), Failure> {
        let request = json!({ "parent": edition });
        let paragraph = "a recipient sees its own copies and no one else's";
        let own = self
            .call(Some(RECIPIENT), &method("ListCopies"), &request, paragraph)
            .await?;
        let list = own["copies"].as_array().map(Vec::as_slice).unwrap_or_default();
        let is_own = |copy: &Value| copy["recipient"] == format!("recipients/{RECIPIENT}");
        ensure(!list.is_empty() && list.iter().all(is_own), "the copies are its own")?;
        let copy = text(&list[0]["name"]);
        self.came_back(&copy)?;

        let request = json!({ "name": copy });
        let connection = self.step(
            Some(RECIPIENT),
            &method("DownloadCopy"),
            "it downloads its copy (para 11)",
        )?;
        let (_, content) = connection.download(&method("DownloadCopy"), &request).await?;
        let sha256 = hex::encode(Sha256::digest(&content));
        ensure(list[0]["sha256"] == sha256, "what arrived is what was sealed")?;
        self.came_back(&format!("{} bytes, SHA-256 {sha256}", content.len()))?;

        let connection = self.step(
            Some(OTHER_RECIPIENT),
            &method("DownloadCopy"),
            "another recipient does not",
        )?;
        let other = connection.download(&method("DownloadCopy"), &request).await;
        let reason = other.as_ref().err().and_then(Failure::reason);
        ensure(
            reason.as_deref() == Some("RESOURCE_NOT_FOUND"),
            "someone else's copy is not there",
        )?;
        self.came_back("refused: RESOURCE_NOT_FOUND")?;

        let wrong = json!({ "name": copy, "sha256": "0".repeat(64), "requestId": Uuid::new_v4().to_string() });
        let paragraph = "a wrong digest is no receipt";
        self.refused(
            Some(RECIPIENT),
            &method("ConfirmReceipt"),
            &wrong,
            "DIGEST_MISMATCH",
            paragraph,
        )
        .await?;
        let right = json!({ "name": copy, "sha256": sha256, "requestId": request_id(&copy, "confirm") });
        let received = self
            .change(
                RECIPIENT,
                &method("ConfirmReceipt"),
                &right,
                "the receipt, with the digest",
            )
            .await?;
        ensure(received["state"] == "COPY_STATE_RECEIVED", "the copy is received")?;
        self.came_back(&format!("received at {}", text(&received["receivedAt"])))
    }

    async fn unresolved(&mut self) -> Result<(), Failure> {
        let request = json!({ "parent": "collections/corruption" });
        let editions = self
            .call(
                Some("approver"),
                &method("ListEditions"),
                &request,
                "another collection",
            )
            .await?;
        let edition = choose(&editions).unwrap_or_default();
        let request = json!({ "name": edition, "requestId": Uuid::new_v4().to_string() });
        let paragraph = "refused while cells of Appendix 1 are unresolved";
        self.refused(
            Some("approver"),
            &method("ReleaseEdition"),
            &request,
            "DISTRIBUTION_UNRESOLVED",
            paragraph,
        )
        .await
    }
}
