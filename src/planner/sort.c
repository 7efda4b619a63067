/* SPDX-License-Identifier: Apache-2.0 */
/* Heapsort of indexes by id: in place, and unlike qsort(3) it asks the system for nothing. */
#include "snap.h"

#include <string.h>

static int
compare(const void *ids, size_t stride, uint32_t a, uint32_t b)
{
	return strcmp((const char *)ids + stride * a, (const char *)ids + stride * b);
}

static void
sift(const void *ids, size_t stride, uint32_t *order, size_t root, size_t n)
{
	for (;;) {
		size_t child = 2 * root + 1;
		uint32_t swap = order[root];

		if (child >= n)
			return;
		if (child + 1 < n && compare(ids, stride, order[child], order[child + 1]) < 0)
			child++;
		if (compare(ids, stride, order[root], order[child]) >= 0)
			return;
		order[root] = order[child];
		order[child] = swap;
		root = child;
	}
}

void
order_by_id(const void *ids, size_t stride, uint32_t *ret_order, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ret_order[i] = (uint32_t)i;
	for (size_t i = n / 2; i > 0; i--)
		sift(ids, stride, ret_order, i - 1, n);
	for (size_t end = n; end > 1; end--) {
		uint32_t swap = ret_order[0];

		ret_order[0] = ret_order[end - 1];
		ret_order[end - 1] = swap;
		sift(ids, stride, ret_order, 0, end - 1);
	}
}
