//! Decides where queries are checked, and what a change of makes this crate build again.

fn main() {
    for path in ["../../migrations", ".sqlx"] {
        println!("cargo::rerun-if-changed={path}");
    }
    for variable in ["DATABASE_URL", "SQLX_OFFLINE_DIR"] {
        println!("cargo::rerun-if-env-changed={variable}");
    }
    // Queries are checked against the committed answers of Postgres in `.sqlx`, even when somebody
    // has a DATABASE_URL of another project in their environment. Only who prepares those answers
    // names the directory to write them to, and is then checked against a live database.
    if std::env::var_os("SQLX_OFFLINE_DIR").is_none() {
        println!("cargo::rustc-env=SQLX_OFFLINE=true");
    }
}
