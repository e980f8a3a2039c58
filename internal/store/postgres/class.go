package postgres

import (
	"fmt"

	"carillon/internal/delivery"
)

// Codes of classes as the table holds them. They are part of the stored format: new ones are added at the end.
var classCodes = map[delivery.Class]int{
	"":                      0,
	delivery.ClassAnswered:  answered,
	delivery.ClassRefused:   2,
	delivery.ClassTimeout:   3,
	delivery.ClassClosed:    4,
	delivery.ClassDNS:       5,
	delivery.ClassTLS:       6,
	delivery.ClassForbidden: 7,
	delivery.ClassRender:    8,
	delivery.ClassConfig:    9,
	delivery.ClassCancelled: 10,
	delivery.ClassProxy:     11,
	delivery.ClassStopped:   12,
}

// answered is the code that queries ask for.
const answered = 1

var classesByCode = invert(classCodes)

func invert(codes map[delivery.Class]int) map[int]delivery.Class {
	classes := make(map[int]delivery.Class, len(codes))
	for class, code := range codes {
		classes[code] = class
	}
	return classes
}

// checkClasses refuses attempts of a class that has no code: it would be lost.
func checkClasses(attempts []delivery.Attempt) error {
	for i := range attempts {
		if _, ok := classCodes[attempts[i].Result.Class]; !ok {
			return fmt.Errorf("the class %q of an attempt has no code in the PostgreSQL store", attempts[i].Result.Class)
		}
	}
	return nil
}
