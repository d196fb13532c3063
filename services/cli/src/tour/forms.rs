use serde_json::{Value, json};

use super::{Tour, choose, date, ensure, request_id, text};
use crate::failure::Failure;

const SERVICE: &str = "legalstat.forms.v1.FormRegistryService";

fn method(name: &str) -> String {
    format!("{SERVICE}/{name}")
}

impl Tour {
    pub(super) async fn forms(&mut self) -> Result<(), Failure> {
        self.chapter("The form registry")?;
        let forms = self
            .call(
                None,
                &method("ListForms"),
                &json!({}),
                "the register of forms (Appendix 2)",
            )
            .await?;
        let codes = forms["forms"].as_array().map(Vec::as_slice).unwrap_or_default();
        ensure(codes.len() == 26, "Appendix 2 lists 26 forms")?;
        ensure(
            codes.iter().filter(|form| form["code"] == "1-P").count() == 2,
            "two forms are coded 1-P",
        )?;
        self.came_back("26 forms, two of them coded 1-P")?;

        let request = json!({ "year": 2024 });
        let schedule = self
            .call(None, &method("ListSchedule"), &request, "the year's schedule (para 14)")
            .await?;
        let items = schedule["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        ensure(items.len() == 152, "a year has 152 editions")?;
        let december = items.iter().find(|item| item["edition"] == "forms/1/editions/2024-M12");
        ensure(
            december.is_some_and(|item| item["dueDate"] == date(2025, 1, 5)),
            "form 1 of 2024-M12 is due 2025-01-05",
        )?;
        self.came_back("152 editions, each with its due date; form 1 for 2024-M12 is due 2025-01-05")?;
        self.placement().await
    }

    async fn placement(&mut self) -> Result<(), Failure> {
        let request = json!({ "parent": "forms/1" });
        let editions = self
            .call(
                Some("operator"),
                &method("ListEditions"),
                &request,
                "what waits for its file",
            )
            .await?;
        let edition = choose(&editions).unwrap_or_default();
        self.came_back(&format!("chosen: {edition}"))?;
        let year: i32 = edition
            .rsplit('/')
            .next()
            .and_then(|period| period.get(..4)?.parse().ok())
            .unwrap_or_default();
        let before = self.punctuality(year, "before").await?;

        let header = json!({
            "name": edition, "filename": "1-M.csv", "contentType": "text/csv", "requestId": request_id(&edition, "upload"),
        });
        let content = "indicator,value\nregistered criminal offences,1\n";
        let uploaded = self
            .upload(
                &method("UploadEditionFile"),
                &header,
                content,
                "the file of an edition (para 14)",
            )
            .await?;
        self.came_back(&format!("SHA-256 {}", text(&uploaded["file"]["sha256"])))?;

        let request = json!({ "name": edition, "requestId": request_id(&edition, "seal") });
        let paragraph = "sealed: one hash fixes what will be placed";
        let sealed = self
            .change("operator", &method("SealEdition"), &request, paragraph)
            .await?;
        self.came_back(&format!("content hash {}", text(&sealed["contentSha256"])))?;

        let request = json!({
            "name": edition, "channel": "CHANNEL_INFORMATION_SERVICE", "requestId": request_id(&edition, "place"),
        });
        let paragraph = "placed on the information service (paras 14 and 15)";
        let placed = self
            .change("operator", &method("PlaceEdition"), &request, paragraph)
            .await?;
        ensure(placed["state"] == "EDITION_STATE_PLACED", "the edition is placed")?;
        self.came_back(&format!(
            "due {}, placed {}",
            text(&placed["dueDate"]),
            text(&placed["punctuality"])
        ))?;

        let after = self.punctuality(year, "after").await?;
        // What was due before the installation answers is neither on time nor late; it is placed all the same.
        let counted = |report: &Value| report["counts"]["placed"].as_i64().unwrap_or(0);
        let expected = counted(&before) + i64::from(editions_state(&editions, &edition) == "EDITION_STATE_SCHEDULED");
        ensure(counted(&after) == expected, "the placement is counted")?;

        let request = json!({ "name": edition, "channel": "CHANNEL_OPEN_DATA_PORTAL", "requestId": uuid::Uuid::new_v4().to_string() });
        let paragraph = "not on the approved list of open data (para 9)";
        self.refused(
            Some("operator"),
            &method("PlaceEdition"),
            &request,
            "NOT_ON_OPEN_DATA_LIST",
            paragraph,
        )
        .await?;
        let request = json!({ "name": "forms/1/editions/2019-Q2" });
        let paragraph = "a quarter of a monthly form does not exist";
        self.refused(None, &method("GetEdition"), &request, "INVALID_FIELDS", paragraph)
            .await
    }

    async fn punctuality(&mut self, year: i32, when: &str) -> Result<Value, Failure> {
        let request = json!({ "year": year });
        let report = self
            .call(
                None,
                &method("GetPunctuality"),
                &request,
                &format!("punctuality {when} the placement"),
            )
            .await?;
        self.came_back(&format!(
            "{year}: {} on time, {} late, {} overdue, {} not kept",
            report["onTime"], report["late"], report["overdue"], report["counts"]["notKept"]
        ))?;
        Ok(report)
    }
}

fn editions_state(editions: &Value, name: &str) -> String {
    let list = editions["editions"].as_array().into_iter().flatten();
    let found = list
        .filter(|edition| edition["name"] == name)
        .map(|edition| edition["state"].as_str().unwrap_or_default());
    found.map(str::to_owned).next().unwrap_or_default()
}
