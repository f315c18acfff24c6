//! `/metrics` on a connection; what it tells is tested with real programs.

use super::bench_tests::{Fixture, run};

#[test]
fn metrics_are_told_piece_by_piece_to_every_version_of_http() {
    run(async {
        let fixture = Fixture::plain();
        let mut client = fixture.client().await;
        client.send("HEAD /metrics?x=1 HTTP/1.1\r\n\r\nGET /metrics HTTP/1.1\r\n\r\n").await;
        let head = client.bodiless_answer().await;
        assert_eq!(head.status, 200);
        assert_eq!(head.header("Content-Type"), Some("text/plain; version=0.0.4; charset=utf-8"));
        let chunked = client.bodiless_answer().await;
        assert_eq!(chunked.header("Transfer-Encoding"), Some("chunked"));
        while !client.buffer.ends_with(b"\r\n0\r\n\r\n") {
            assert!(client.more().await > 0);
        }
        // The connection is kept, and an old client's ends with the answer.
        client.buffer.clear();
        client.send("GET /metrics HTTP/1.0\r\n\r\n").await;
        let old = client.bodiless_answer().await;
        assert_eq!((old.status, old.header("Transfer-Encoding")), (200, None));
        while client.more().await > 0 {}
        let text = String::from_utf8(client.buffer).unwrap();
        assert!(text.starts_with("# HELP node_supervisord_up ") && text.ends_with('\n'), "{text}");
        assert!(text.contains("\nsupervisord_mood{mood=\"RUNNING\"} 1\n"), "{text}");
        for (request, status) in [
            ("POST /metrics HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 400),
            ("GET /metrics/ HTTP/1.1\r\n\r\n", 404),
            ("GET /metricsx HTTP/1.1\r\n\r\n", 404),
        ] {
            assert_eq!(fixture.ask(request).await.status, status, "{request}");
        }
    });
}
