//! Uploads that break off and go on.

use legalstat_proto::collections::v1::{EditionContentUpload, EditionState, GetEditionContentUploadRequest};

use super::{
    copies::{COURTS_COPY, download},
    *,
};

fn resumable(content: &[u8]) -> UploadEditionContentHeader {
    UploadEditionContentHeader {
        sha256: digest(content),
        resumable: true,
        size_bytes: i64::try_from(content.len()).expect("it is small"),
        ..header(CRIME)
    }
}

async fn partial(client: &mut Client, header: &UploadEditionContentHeader) -> Result<EditionContentUpload, Status> {
    let upload_id = header.request_id.clone();
    let request = GetEditionContentUploadRequest { upload_id };
    let answer = client.get_edition_content_upload(request).await;
    answer.map(tonic::Response::into_inner)
}

fn kept(distribution: &Distribution) -> usize {
    std::fs::read_dir(distribution.files.path().join("partial"))
        .expect("a folder")
        .count()
}

#[tokio::test]
async fn an_upload_that_breaks_off_goes_on_where_it_stopped() {
    let distribution = Distribution::start().await;
    let mut operator = distribution.operator();
    let content: Vec<u8> = (0..1_900_000_u32).map(|at| b'a' + (at % 23) as u8).collect();
    let header = resumable(&content);
    let broken = upload(&mut operator, &header, &content[..700_000]).await;
    refused(broken, Code::FailedPrecondition, "UPLOAD_INCOMPLETE");
    let there = partial(&mut operator, &header).await.expect("it is kept");
    assert_eq!((there.received_bytes, there.size_bytes), (700_000, 1_900_000));
    assert!(there.expire_time.is_some());
    refused(
        partial(&mut operator, &resumable(b"other")).await,
        Code::NotFound,
        "RESOURCE_NOT_FOUND",
    );
    let from = |offset| UploadEditionContentHeader {
        offset,
        ..header.clone()
    };
    let elsewhere = upload(&mut operator, &from(600_000), &content[600_000..]).await;
    assert_eq!(violations(elsewhere), pairs(&[("header.offset", "OUT_OF_RANGE")]));

    let prepared = upload(&mut operator, &from(700_000), &content[700_000..])
        .await
        .expect("it is whole");
    assert_eq!(
        (prepared.state(), prepared.files[0].sha256.as_str()),
        (EditionState::Prepared, header.sha256.as_str())
    );
    assert_eq!(kept(&distribution), 0);
    // Whoever lost the answer asks for it again, and sends nothing.
    for again in [header.clone(), from(700_000)] {
        let replayed = send(&mut operator, vec![message(Part::Header(again))]).await;
        assert_eq!(replayed.expect("it is replayed"), prepared);
    }
    let files = "SELECT count(*) FROM collections.edition_file";
    assert_eq!(distribution.count(files).await, 1);
    seal(&mut operator, &sealing(CRIME, &content))
        .await
        .expect("it is sealed");
    release(&mut distribution.approver(), &releasing(CRIME))
        .await
        .expect("it is released");
    let mut court = distribution.client(Some("supreme-court"));
    let (_, fetched) = download(&mut court, COURTS_COPY).await.expect("it is its own");
    assert!(fetched == content, "the content is another");
}

#[tokio::test]
async fn what_is_refused_or_only_checked_waits_for_nothing() {
    let distribution = Distribution::start().await;
    let mut operator = distribution.operator();
    let checked = UploadEditionContentHeader {
        validate_only: true,
        ..resumable(CONTENT)
    };
    upload(&mut operator, &checked, CONTENT)
        .await
        .expect("it would be taken");
    let other = upload(&mut operator, &resumable(b"one"), b"two").await;
    refused(other, Code::InvalidArgument, "DIGEST_MISMATCH");
    let large = UploadEditionContentHeader {
        size_bytes: 2_000_001,
        ..resumable(b"a")
    };
    refused(
        upload(&mut operator, &large, b"a").await,
        Code::InvalidArgument,
        "FILE_TOO_LARGE",
    );
    let unsized_one = UploadEditionContentHeader {
        resumable: true,
        ..header(CRIME)
    };
    let expected = [("header.sha256", "REQUIRED"), ("header.size_bytes", "OUT_OF_RANGE")];
    assert_eq!(
        violations(upload(&mut operator, &unsized_one, b"a").await),
        pairs(&expected)
    );
    let gone = async {
        while kept(&distribution) > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, gone).await.expect("nothing is kept");
}
