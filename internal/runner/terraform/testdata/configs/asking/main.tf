# A variable without a value: the command asks for it before it plans.
variable "answer" {
  type = string
}

resource "terraform_data" "answer" {
  input = var.answer
}
