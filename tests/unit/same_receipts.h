/* SPDX-License-Identifier: Apache-2.0 */
/* Two tables of receipts that must say the same, in one byte form.  Include behind cmocka.h. */
#ifndef SAME_RECEIPTS_H
#define SAME_RECEIPTS_H

#include <sgwarden/receipts.h>

static inline void
assert_same_receipts(const struct receipts *a, const struct receipts *b)
{
	static uint8_t bytes_a[1024], bytes_b[1024];

	assert_int_equal(a->n, b->n);
	assert_int_equal(a->older, b->older);
	for (size_t i = 0; i < a->n; i++) {
		const struct rcpt *of_a = receipts_newest(a, i), *of_b = receipts_newest(b, i);
		struct buf to_a = buf_over(bytes_a, sizeof(bytes_a)),
			   to_b = buf_over(bytes_b, sizeof(bytes_b));

		assert_true(rec_receipt_encode(&to_a, &of_a->head));
		assert_true(rec_receipt_encode(&to_b, &of_b->head));
		assert_int_equal(to_a.len, to_b.len);
		assert_memory_equal(bytes_a, bytes_b, to_a.len);
		for (size_t k = 0; k < of_a->head.n_ops; k++) {
			to_a = buf_over(bytes_a, sizeof(bytes_a));
			to_b = buf_over(bytes_b, sizeof(bytes_b));
			assert_true(rec_receipt_op_encode(&to_a, receipts_op(a, of_a, k)));
			assert_true(rec_receipt_op_encode(&to_b, receipts_op(b, of_b, k)));
			assert_int_equal(to_a.len, to_b.len);
			assert_memory_equal(bytes_a, bytes_b, to_a.len);
		}
	}
}

#endif
