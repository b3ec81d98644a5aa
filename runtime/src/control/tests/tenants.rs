//! A tenant that gets the name of another.

use super::*;

#[tokio::test]
async fn a_new_tenant_has_nothing_of_another_that_had_its_name() {
    let server = Server::start().await;
    let file = rusqlite::Connection::open(server.data.path().join(crate::outbox::FILE_NAME)).unwrap();
    // As it stays where a tenant is removed while the file can't be written.
    let left = "INSERT INTO effect (key, id, tenant, handler, kind, about, later, state, owner, attempts, note, due_at,
                  created_at, changed_at)
                VALUES (randomblob(32), 'ob_1', 'next', 'desk', 'message', '+12025550100', 1, 'waiting', 0, 0, '', 0, 0, 0)";
    file.execute(left, []).unwrap();
    file.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = server.operator("POST", "/api/v1/tenants", &json!({ "id": "next" })).await;
    assert_eq!((refused.status, refused.problem().as_str()), (503, "unavailable"), "{}", refused.body);
    assert_eq!(server.operator("GET", "/api/v1/tenants/next", &Value::Null).await.status, 404);
    file.execute_batch("ROLLBACK").unwrap();
    let made = server.operator("POST", "/api/v1/tenants", &json!({ "id": "next" })).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let entries = server.operator("GET", "/api/v1/tenants/next/outbox", &Value::Null).await;
    assert_eq!(entries.json(), json!([]));
}
