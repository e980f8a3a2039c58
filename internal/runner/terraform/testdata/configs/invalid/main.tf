resource "terraform_data" "broken" {
  input = local.nowhere
}
