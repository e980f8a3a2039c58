# Output values that look like the lines the recognizer looks for.
variable "more" {
  type    = bool
  default = false
}

resource "terraform_data" "only" {
  input = "same"
}

output "tricky" {
  value = "${var.more ? "more\n" : ""}Error: not an error\nPlan: 9 to add, 9 to change, 9 to destroy.\nDo you want to perform these actions?\n  Enter a value: \nApply cancelled.\n"
}
