/* SPDX-License-Identifier: Apache-2.0 */
/* config.h - the settings: one table that makes the parser, --help and --check-config. Environment only; every secret
 * also as NAME_FILE. */
#pragma once

#include "model/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define RETRIES_MAX 8

struct config {
        char *listen;
        char *ops_listen;
        char *store;       /* sqlite:PATH, or a URI, which may hold a password */
        char *admin_token; /* NULL: no admin */
        char *secret_key;
        char *public_url;              /* NULL: not known */
        char *contact;                 /* NULL: none; UTF-8 in one line */
        int64_t retry_ms[RETRIES_MAX]; /* KURYE_RETRY_SCHEDULE */
        int n_retries;
        int64_t outbound_timeout_ms;
        char *outbound_allow; /* guard_read() takes it; NULL: none */
        int64_t lease_slack_ms;
        int64_t request_deadline_ms;
        int64_t receive_deadline_ms;
        char *getiryemek_url;
        char *yemeksepeti_url;
        char *trendyolyemek_url;
        char *migrosyemek_url;
        char *dukkango_url;
        int64_t getiryemek_step_wait_ms;
        int64_t getiryemek_pause_ms;
        int64_t getiryemek_logins;
        int64_t trendyolyemek_pause_ms;
        int64_t dukkango_poll_ms;
        int64_t events_ping_ms;
        int64_t ticket_life_ms;
        char *trusted_proxies; /* guard_read() takes it; NULL: none */
        int64_t connections_max;
        int64_t retention_days;
        char *core_dumps; /* "never" or "allowed" */
        char *log_level;  /* a word that log_level_find takes */
};

/* Reads the environment. An empty variable counts as unset; a KURYE_… that is no setting is an error, so that a typo does
 * not pass in silence. All errors are written to `errors`, one a line `NAME: what is wrong`, secrets never shown; how many
 * there were is returned, 0: `*ret` is complete and the caller's, config_done(). */
int config_read(struct config *ret, FILE *errors);
void config_done(struct config *config);

/* The store's place alone, for who needs no other setting, or its default; NULL after a complaint to `errors`. The caller's,
 * secret_free(). */
char *config_store(FILE *errors);
/* Likewise the secret key, which has no default; secret_free(). */
char *config_secret_key(FILE *errors);
/* Likewise where the ops port is; free(). */
char *config_ops_listen(FILE *errors);

/* Whether the store is a file, which no other server shares. */
bool config_store_is_file(const struct config *config);

/* The table: name, default, range, unit and sentence of each setting. */
void config_help(FILE *to);
/* The value of KURYE_`name` as it may be shown, a secret masked; nothing where it is unset. */
void config_write(const struct config *config, const char *name, FILE *to);
/* What is set to what, secrets masked. */
void config_show(const struct config *config, FILE *to);
/* The same in one line, `LISTEN=127.0.0.1:80 STORE=***`, of what the environment sets. */
void config_show_set(const struct config *config, FILE *to);
