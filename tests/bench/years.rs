//! Years of editions with their figures. The first edition of each form is entered by calls, as any edition is; the others are its
//! copies, brought as rows by `years.sql`.

use std::{collections::BTreeMap, ops::RangeInclusive};

use legalstat_proto::{
    common::v1::{Date, LegalBasis, LocalizedText},
    forms::v1::{
        BatchCreateCodesRequest, BatchCreateIndicatorsRequest, Channel as Place, Code, CodeList, CreateCodeListRequest,
        Dimension, Indicator, ListScheduleRequest, PlaceEditionRequest, SealEditionRequest, UploadEditionFileHeader,
        UploadEditionFileRequest, form_registry_service_client::FormRegistryServiceClient,
        upload_edition_file_request::Part,
    },
};
use legalstat_test_support::system::System;
use sqlx::PgConnection;
use tonic::transport::Channel;
use uuid::Uuid;

use crate::{database::run, imports};

/// The form whose figures are asked for, the first year of editions, and the dimension of the figures.
pub(crate) const FORM: &str = "forms/1";
pub(crate) const FIRST_YEAR: i16 = 2020;
pub(crate) const DIMENSION: &str = "ARTICLE";
/// How many codes each register has: more than any edition uses but an import, which uses all.
pub(crate) const REGISTERED: Figures = Figures {
    indicators: 20,
    territories: 105,
    articles: 100,
};

type Client = FormRegistryServiceClient<Channel>;

/// The figures of an edition: so many indicators by so many territories by so many articles of the law.
#[derive(Clone, Copy)]
pub(crate) struct Figures {
    pub(crate) indicators: usize,
    pub(crate) territories: usize,
    pub(crate) articles: usize,
}

impl Figures {
    pub(crate) fn count(self) -> usize {
        self.indicators * self.territories * self.articles
    }
}

pub(crate) fn indicator(number: usize) -> String {
    format!("i{number:02}")
}

pub(crate) fn territory(number: usize) -> String {
    format!("{:09}", 710_000_000 + number)
}

pub(crate) fn article(number: usize) -> String {
    format!("a{number:03}")
}

/// What is stored.
pub(crate) struct Years {
    pub(crate) years: RangeInclusive<i16>,
    /// The figures of each edition of the form that is asked.
    pub(crate) asked: Figures,
    /// The figures of each edition of every other form, which has files alone where there are none.
    pub(crate) others: Option<Figures>,
}

impl Years {
    /// Stores them; the names of all editions.
    pub(crate) async fn store(&self, system: &System, database: &mut PgConnection) -> Vec<String> {
        let mut client = FormRegistryServiceClient::new(system.channel("form-registry", Some("operator")));
        registers(&mut client).await;
        for (form, edition) in first_editions(&mut client).await {
            indicators(&mut client, &form).await;
            upload(&mut client, &edition).await;
            let figures = if form == FORM { Some(self.asked) } else { self.others };
            if let Some(figures) = figures {
                let messages = imports::messages(&edition, figures);
                imports::import(&system.channel("form-registry", Some("operator")), messages).await;
            }
            place(&mut client, &edition).await;
        }
        let (first, last) = (self.years.start(), self.years.end());
        let years = format!("SET bench.first = {first}; SET bench.last = {last}; ");
        run(database, years + include_str!("years.sql")).await;
        for statement in ["VACUUM (ANALYZE)", "CHECKPOINT"] {
            run(database, statement.into()).await;
        }
        hashes_agree(database).await;
        let names = "SELECT parent || '/editions/' || period FROM forms.edition ORDER BY form, period";
        sqlx::query_scalar(names).fetch_all(database).await.expect("names")
    }
}

/// Stops unless the script writes the content hash that the service wrote.
async fn hashes_agree(database: &mut PgConnection) {
    let agreeing = "SELECT count(*) FROM forms.revision r JOIN forms.edition_file f USING (form, period)
         WHERE r.content_sha256 = bench.content(r.parent || '/editions/' || r.period, r.number, f, r.figures_sha256)";
    let [agreeing, all] = [agreeing, "SELECT count(*) FROM forms.revision"].map(sqlx::query_scalar::<_, i64>);
    let agreeing = agreeing.fetch_one(&mut *database).await.expect("a count");
    assert_eq!(
        agreeing,
        all.fetch_one(database).await.expect("a count"),
        "years.sql writes other hashes"
    );
}

fn id() -> String {
    Uuid::new_v4().to_string()
}

fn title(text: &str) -> Option<LocalizedText> {
    Some(LocalizedText {
        kk: text.into(),
        ru: text.into(),
        en: text.into(),
    })
}

fn law() -> Option<LegalBasis> {
    Some(LegalBasis {
        act: "Order No. 7".into(),
        ..LegalBasis::default()
    })
}

fn valid_from() -> Option<Date> {
    Some(Date {
        year: 2019,
        month: 4,
        day: 15,
    })
}

async fn registers(client: &mut Client) {
    let list = CodeList {
        name: format!("codeLists/{DIMENSION}"),
        title: title("Article of the Criminal Code"),
        legal_basis: law(),
    };
    let request = CreateCodeListRequest {
        code_list: Some(list),
        request_id: id(),
        validate_only: false,
    };
    client.create_code_list(request).await.expect("it is made");
    let territories = (1..=REGISTERED.territories).map(territory).collect();
    let articles = (1..=REGISTERED.articles).map(article).collect();
    for (list, codes) in [("KATO", territories), (DIMENSION, articles)] {
        enter(client, list, codes).await;
    }
}

async fn enter(client: &mut Client, list: &str, codes: Vec<String>) {
    let code = |code: String| Code {
        title: title(&code),
        code,
        valid_from: valid_from(),
        legal_basis: law(),
        ..Code::default()
    };
    let request = BatchCreateCodesRequest {
        parent: format!("codeLists/{list}"),
        codes: codes.into_iter().map(code).collect(),
        request_id: id(),
        validate_only: false,
    };
    client.batch_create_codes(request).await.expect("they are entered");
}

async fn indicators(client: &mut Client, form: &str) {
    let dimension = Dimension {
        id: DIMENSION.into(),
        code_list: format!("codeLists/{DIMENSION}"),
    };
    let indicators = (1..=REGISTERED.indicators).map(indicator).map(|code| Indicator {
        title: title(&format!("Registered crimes, {code}")),
        code,
        unit: "CRIME".into(),
        measure: "number".into(),
        by_territory: true,
        dimensions: vec![dimension.clone()],
        valid_from: valid_from(),
        legal_basis: law(),
        ..Indicator::default()
    });
    let request = BatchCreateIndicatorsRequest {
        parent: form.into(),
        indicators: indicators.collect(),
        request_id: id(),
        validate_only: false,
    };
    client.batch_create_indicators(request).await.expect("they are entered");
}

/// The first edition of each form in the first year.
async fn first_editions(client: &mut Client) -> BTreeMap<String, String> {
    let year = ListScheduleRequest {
        year: FIRST_YEAR.into(),
        ..ListScheduleRequest::default()
    };
    let items = client.list_schedule(year).await.expect("a schedule").into_inner().items;
    let mut first = BTreeMap::new();
    for name in items.into_iter().map(|item| item.edition) {
        let (form, _) = name.split_once("/editions/").expect("the name of an edition");
        first.entry(form.to_owned()).or_insert(name);
    }
    first
}

async fn upload(client: &mut Client, edition: &str) {
    let header = UploadEditionFileHeader {
        name: edition.into(),
        filename: "form.csv".into(),
        request_id: id(),
        ..UploadEditionFileHeader::default()
    };
    let content = format!("edition,value\n{edition},1\n").repeat(100);
    let parts = [Part::Header(header), Part::Chunk(content.into_bytes())];
    let messages = parts.map(|part| UploadEditionFileRequest { part: Some(part) });
    let uploaded = client.upload_edition_file(futures::stream::iter(messages)).await;
    uploaded.expect("it is taken");
}

async fn place(client: &mut Client, edition: &str) {
    let seal = SealEditionRequest {
        name: edition.into(),
        request_id: id(),
        ..SealEditionRequest::default()
    };
    client.seal_edition(seal).await.expect("it is sealed");
    let place = PlaceEditionRequest {
        name: edition.into(),
        channel: Place::InformationService.into(),
        request_id: id(),
        ..PlaceEditionRequest::default()
    };
    client.place_edition(place).await.expect("it is placed");
}
