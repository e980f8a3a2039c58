variable "release" {
  type    = string
  default = "one"
}

resource "terraform_data" "release" {
  input = var.release
}

resource "terraform_data" "service" {
  count            = 2
  input            = "service-${count.index}"
  triggers_replace = [terraform_data.release.output]
}

output "release" {
  value = terraform_data.release.output
}
