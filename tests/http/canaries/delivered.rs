//! Files that land with numbers in them: in every container and encoding, where they belong and where they do not.

use std::io::Write;
use std::sync::Arc;

use super::numbers::Numbers;
use crate::service::Home;

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).expect("to memory");
    encoder.finish().expect("to memory")
}

fn parquet(number: &str) -> Vec<u8> {
    use arrow::array::{ArrayRef, StringArray};
    let text = |value: &str| -> ArrayRef { Arc::new(StringArray::from(vec![value.to_owned()])) };
    let columns = [("customer_id", text("q1")), ("msisdn", text(number))];
    let batch = arrow::record_batch::RecordBatch::try_from_iter(columns).expect("a batch");
    let mut bytes = Vec::new();
    let mut writer = parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), None).expect("a writer");
    writer.write(&batch).expect("written");
    writer.close().expect("written");
    bytes
}

/// Lands them. How many have an entry in the ledger.
pub fn land(home: &Home, numbers: &Numbers) -> usize {
    let of = |place| numbers.of(place);
    // So many good ones that a few bad ones are let pass.
    let many = |columns: &str| (0..600).map(|at| format!("n{at},{columns}\n")).collect::<String>();
    let customers = "customer_id,msisdn,birth_date,gender,city,status\n";
    let plain = format!(
        "{customers}c1,{},1980-02-29,f,Dalian,active\nc2,+86 {}-{}-{},,,Dalian,\nc3,,,,Dalian,\nc4,,,,Dalian,\nc5,,,,Dalian,\n\
         b1,,{},f,Dalian,active\n{},,x,f,Dalian,active\nb2,,,{},Dalian,active\nb3,{},,f,Dalian,no\nb4,,,f,{},gone\nb5,{}\n{}",
        of("msisdn"),
        &of("msisdn as people write it")[..3],
        &of("msisdn as people write it")[3..7],
        &of("msisdn as people write it")[7..],
        of("bad row: for a birthday"),
        of("bad row: for a customer"),
        of("bad row: for a gender"),
        of("bad row: msisdn"),
        of("bad row: for a city"),
        of("bad row: too few columns"),
        many(",,,Dalian,"),
    );
    let mut files: Vec<(String, Vec<u8>)> = vec![
        ("customer_plain.csv".into(), plain.into_bytes()),
        ("customer_gz.csv.gz".into(), gzip(&format!("customer_id,msisdn\ng1,{}\n", of("msisdn in gz")))),
        (
            "customer_zst.csv.zst".into(),
            zstd::encode_all(format!("customer_id,msisdn\nz1,{}\n", of("msisdn in zst")).as_bytes(), 3).expect("packed"),
        ),
        (
            "customer_gb.csv".into(),
            [b"customer_id,msisdn,city\nh1,", of("msisdn in GB18030").as_bytes(), b",\xb9\xe3\xd6\xdd\n"].concat(),
        ),
        ("customer_parquet.parquet".into(), parquet(&of("msisdn in Parquet"))),
        (
            format!("customer_{}.csv", of("file name")),
            format!("customer_id,{}\nf1,x\n", of("unknown column")).into_bytes(),
        ),
        (
            "terminal_1.csv".into(),
            format!(
                "customer_id,seen_on,imei,model,supports\nc1,2009-06-01,{},,wap\nc2,x,{},,\n{}",
                of("imei"),
                of("bad row: imei"),
                (0..600).map(|at| format!("n{at},2009-06-01,,,\n")).collect::<String>()
            )
            .into_bytes(),
        ),
        // Refused whole.
        (
            "bill_2009-07.csv".into(),
            format!("customer_id,month,total_fee\nc1,2009-07,{}x\n", of("refused file: a value")).into_bytes(),
        ),
        ("score_1.csv".into(), format!("customer_id,{}\nc1,5\n", of("refused file: a header")).into_bytes()),
        (
            "score_2.csv".into(),
            format!("{},churn,5\n", of("refused file: no header")).into_bytes(),
        ),
        ("bill_2009-06.csv".into(), "customer_id,month,total_fee\nc1,2009-06,80\nc2,2009-06,90\n".into()),
        (
            "listing_all.csv".into(),
            format!("list_id,customer_id,reason\nvip,c5,ring {}\n", of("text: reason of a listing")).into_bytes(),
        ),
        (
            "adjustment_1.csv".into(),
            format!(
                "adjustment_id,customer_id,points,reason,by,at\na1,c1,5,for {0},{1},2009-06-01\n",
                of("text: reason of an adjustment"),
                of("text: by of an adjustment")
            )
            .into_bytes(),
        ),
        (
            "feedback_1.csv".into(),
            format!(
                "feedback_id,campaign_id,customer_id,kind,at,reason\nf1,spring,c2,complaint,2009-06-01,ring {}!\n",
                of("text: reason of a complaint")
            )
            .into_bytes(),
        ),
        (
            "campaign_state_1.csv".into(),
            format!(
                "change_id,campaign_id,state,at,by,note\ns1,spring,running,2009-06-01 12:00:00,{},ask {}\n",
                of("text: by of a state"),
                of("text: note of a state")
            )
            .into_bytes(),
        ),
        (
            "provisioning_1.csv".into(),
            format!(
                "request_id,state,code,text,at\n{},failed,E1,ring {},2009-06-01\n",
                "0".repeat(32),
                of("text: of who provisions")
            )
            .into_bytes(),
        ),
        (
            "usage_2009-06.csv".into(),
            format!("customer_id,day,measure,quantity\nc1,2009-06-01,{},1\n", of("id: a measure")).into_bytes(),
        ),
        (
            "consent_1.csv".into(),
            "customer_id,purpose,channel_id,at,given\nc1,promotion,*,2009-06-01,true\nc2,promotion,*,2009-06-01,true\nc3,promotion,*,2009-06-01,true\n"
                .into(),
        ),
        ("channel_1.csv".into(), "channel_id,unit_cost,daily_capacity\nsms,0.10,\n".into()),
    ];
    let control = format!("rows=2\n{}=2\n", of("control file"));
    home.land("bill_2009-06.csv.ok", control);
    let entries = files.len();
    files.push((format!("{}.csv", of("name of no feed")), "x".into()));
    files.push((format!("bill_{}.csv", of("name of no month")), "x".into()));
    for (name, bytes) in files {
        home.land(&name, bytes);
    }
    entries
}
