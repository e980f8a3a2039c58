# A configuration that fails while it is applied: the second resource's command exits with 1.

terraform {
  required_version = ">= 1.4"
}

resource "terraform_data" "database" {
  input = "ready"
}

resource "terraform_data" "migration" {
  input = terraform_data.database.output

  provisioner "local-exec" {
    command = "echo 'migration 0042 failed: column \"price\" does not exist' >&2; exit 1"
  }
}
