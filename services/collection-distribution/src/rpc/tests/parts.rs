//! Downloads that go on where they broke off.

use legalstat_proto::collections::v1::{DownloadCopyRequest, EditionContent, download_copy_response};

use super::{
    copies::{COURTS_COPY, confirm, confirming},
    *,
};

async fn part(client: &mut Client, name: &str, offset: i64, length: i64) -> Result<(EditionContent, Vec<u8>), Status> {
    let request = DownloadCopyRequest {
        name: name.into(),
        offset,
        length,
        ..Default::default()
    };
    let mut stream = client.download_copy(request).await?.into_inner();
    let (mut described, mut content) = (None, Vec::new());
    while let Some(message) = stream.message().await? {
        match message.part.expect("every message carries a part") {
            download_copy_response::Part::Content(description) => described = Some(description),
            download_copy_response::Part::Chunk(chunk) => content.extend(chunk),
        }
    }
    Ok((described.expect("the first message describes the content"), content))
}

#[tokio::test]
async fn a_download_goes_on_from_any_byte_and_ends_where_it_is_asked_to() {
    let distribution = Distribution::start().await;
    distribution.release_crime().await;
    let mut court = distribution.client(Some("supreme-court"));
    let size = i64::try_from(CONTENT.len()).expect("it is small");
    for (offset, length, expected) in [
        (0, 0, CONTENT),
        (4, 0, &CONTENT[4..]),
        (4, 10, &CONTENT[4..14]),
        (size - 1, 10, &CONTENT[CONTENT.len() - 1..]),
        (size, 0, b"".as_slice()),
        (0, i64::MAX, CONTENT),
    ] {
        let (described, content) = part(&mut court, COURTS_COPY, offset, length)
            .await
            .expect("it is its own");
        assert_eq!(content, expected, "{length} from {offset}");
        assert_eq!(
            (described.size_bytes, described.sha256),
            (size, digest(CONTENT)),
            "of the whole"
        );
    }
}

#[tokio::test]
async fn what_came_in_two_parts_is_confirmed_like_what_came_in_one() {
    let distribution = Distribution::start().await;
    distribution.release_crime().await;
    let mut court = distribution.client(Some("supreme-court"));
    let (_, mut content) = part(&mut court, COURTS_COPY, 0, 7).await.expect("it begins");
    let at = i64::try_from(content.len()).expect("it is small");
    content.extend(part(&mut court, COURTS_COPY, at, 0).await.expect("it goes on").1);
    confirm(&mut court, &confirming(COURTS_COPY, &content))
        .await
        .expect("it is whole");
    let recorded = "SELECT count(*) FROM collections.journal_entry
         WHERE caller = 'supreme-court' AND outcome = 'DONE' AND method LIKE '%/DownloadCopy'";
    assert_eq!(distribution.count(recorded).await, 2, "each part is in the journal");
}

#[tokio::test]
async fn a_part_outside_the_content_is_refused_and_anothers_size_is_not_told() {
    let distribution = Distribution::start().await;
    distribution.release_crime().await;
    let mut court = distribution.client(Some("supreme-court"));
    let negative = part(&mut court, COURTS_COPY, -1, -1).await;
    let expected = [("offset", "OUT_OF_RANGE"), ("length", "OUT_OF_RANGE")];
    assert_eq!(violations(negative), pairs(&expected));
    let beyond = part(&mut court, COURTS_COPY, 1000, 0).await;
    assert_eq!(violations(beyond), pairs(&[("offset", "OUT_OF_RANGE")]));
    let mut senate = distribution.client(Some("senate"));
    let refusal = refused(
        part(&mut senate, COURTS_COPY, 1000, 0).await,
        Code::NotFound,
        "RESOURCE_NOT_FOUND",
    );
    assert_eq!(refusal.message(), format!("there is no {COURTS_COPY}"));
}
