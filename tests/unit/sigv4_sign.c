/* SPDX-License-Identifier: Apache-2.0 */
/* Signs a body on stdin for net_emulator.py with the broker's signer: HOST REGION SERVICE DATE KEY-ID SECRET TOKEN. */
#include <stdio.h>

#include "sigv4.h"

int
main(int argc, char **argv)
{
	static char body[SGW_BODY_MAX];
	char authorization[SGW_AUTHORIZATION_MAX + 1];
	struct sigv4_post post = {.body = body};
	struct sigv4_keys keys;

	if (argc != 8)
		return 1;
	post.body_len = fread(body, 1, sizeof(body), stdin);
	post.host = argv[1];
	post.region = argv[2];
	post.service = argv[3];
	post.amz_date = argv[4];
	keys = (struct sigv4_keys){argv[5], argv[6], argv[7]};
	if (!sigv4_sign_post(&post, &keys, authorization, sizeof(authorization)))
		return 1;
	puts(authorization);
	return 0;
}
