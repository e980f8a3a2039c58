resource "terraform_data" "slow" {
  input = "slow"

  provisioner "local-exec" {
    command = "echo started > ${path.module}/started; exec sleep 600"
  }
}

resource "terraform_data" "after" {
  input = terraform_data.slow.output
}
