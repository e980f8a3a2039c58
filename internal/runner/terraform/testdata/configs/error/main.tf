resource "terraform_data" "first" {
  input = "first"
}

resource "terraform_data" "broken" {
  input = terraform_data.first.output

  provisioner "local-exec" {
    command = "echo pouring; exit 3"
  }
}
