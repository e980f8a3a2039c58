# A configuration that needs no provider, no account and no network: terraform_data is built into Terraform and OpenTofu.
# Check blocks came with release 1.5.

terraform {
  required_version = ">= 1.5"
}

variable "release" {
  description = "Change it and the services are replaced."
  type        = string
  default     = "2026.1"
}

variable "services" {
  description = "One resource for each."
  type        = set(string)
  default     = ["api", "worker"]
}

# Changes in place when the release changes.
resource "terraform_data" "release" {
  input = var.release
}

# Replaced when the release changes.
resource "terraform_data" "service" {
  for_each = var.services

  input            = each.key
  triggers_replace = [terraform_data.release.output]
}

output "release" {
  value = terraform_data.release.output
}

output "services" {
  value = sort([for s in terraform_data.service : s.output])
}

check "release_is_named" {
  assert {
    condition     = terraform_data.release.output != ""
    error_message = "The release has no name."
  }
}
