//! Prints the JSON Schema of policy files: `cargo run -p slawatch-policy --example schema`.

fn main() {
    println!("{:#}", slawatch_policy::PolicySets::json_schema());
}
