package pulumi

import (
	"crypto/sha1" //nolint:gosec // version 5 of RFC 9562 is made with it
	"encoding/hex"
	"hash/fnv"
	"regexp"
	"strings"

	"carillon/internal/ident"
)

var uuidShape = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)

func isUUID(text string) bool { return uuidShape.MatchString(text) }

// nameSpaceURL is the name space of RFC 9562 for addresses.
var nameSpaceURL = []byte{0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8}

// uuidOf is the UUID of version 5 for an address: always the same one (§3.3).
func uuidOf(address string) string {
	sum := sha1.Sum(append(nameSpaceURL[:len(nameSpaceURL):len(nameSpaceURL)], address...)) //nolint:gosec // see above
	sum[6] = sum[6]&0x0f | 0x50
	sum[8] = sum[8]&0x3f | 0x80
	return dashed(hex.EncodeToString(sum[:16]))
}

func dashed(digits string) string {
	return digits[:8] + "-" + digits[8:12] + "-" + digits[12:16] + "-" + digits[16:20] + "-" + digits[20:32]
}

// deliveryDigits spells a delivery's ID in hexadecimal digits.
var deliveryDigits = ident.Codec{Alphabet: "0123456789abcdef", Length: 22}

// deliveryUUID spells a delivery's ID as a UUID of version 4, and back: what the platform calls an event's ID (§2.1). The
// digits that the ID does not fill follow from the others, so that only those are found that were given.
func deliveryUUID(id ident.ID) string {
	digits := deliveryDigits.Encode(id)
	digits = digits[:12] + "4" + digits[12:15] + variant(digits) + digits[15:] + rest(digits)
	return dashed(digits)
}

// variant is the digit that says how the UUID is laid out, with two bits that are free.
func variant(digits string) string { return string("89ab"[sumOf(digits)%4]) }

// rest fills the UUID.
func rest(digits string) string {
	var raw [4]byte
	sum := sumOf(digits)
	for i := range raw {
		raw[i] = byte(sum >> (8 * (i + 1)))
	}
	return hex.EncodeToString(raw[:])
}

func sumOf(digits string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(digits)) // a hash never fails to write
	return h.Sum64()
}

// deliveryID reads what deliveryUUID wrote.
func deliveryID(uuid string) (ident.ID, bool) {
	if !isUUID(uuid) {
		return 0, false
	}
	digits := strings.ReplaceAll(uuid, "-", "")
	id, ok := deliveryDigits.Decode(digits[:12] + digits[13:16] + digits[17:24])
	if !ok || deliveryUUID(id) != uuid {
		return 0, false
	}
	return id, true
}
