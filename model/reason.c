/* SPDX-License-Identifier: Apache-2.0 */
/* reason.c - why an order is cancelled, in its platform's own terms: which reasons there are, and the one that is told. */
#include "model/clean.h"
#include "model/dialect.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

#define REASONS_MAX 256     /* in an answer; a guess */
#define REASON_TEXT_MAX 256 /* characters; a guess */

bool dialect_number(const char *text, int64_t *ret)
{
        int64_t n = 0;

        if (!*text || (*text == '0' && text[1]))
                return false;
        for (; *text; text++)
                if (!isdigit((unsigned char)*text) || __builtin_mul_overflow(n, 10, &n) ||
                    __builtin_add_overflow(n, *text - '0', &n))
                        return false;
        *ret = n;
        return true;
}

static bool is_for(const struct reason *reason, const struct order *order)
{
        return !reason->own_courier || !order->platform_courier;
}

static bool is_known(const struct dialect *dialect, const struct order *order, const char *id)
{
        for (const struct reason *r = dialect->reasons; r && r->id; r++)
                if (streq(r->id, id))
                        return is_for(r, order);
        return false;
}

enum err dialect_reason(const struct dialect *dialect, const struct order *order, struct json_object *body,
                        const char *key, struct why *why)
{
        const struct move *cancel = order_find_move(order, STATUS_CANCELLED);
        const char *given = cancel && cancel->reason[0] ? cancel->reason : dialect->other_reason;
        int64_t number = 0;
        bool is_number = given && dialect_number(given, &number);

        /* A list that is asked for may have grown. */
        if (!given || (!(is_number && dialect->ask_reasons) && !is_known(dialect, order, given)))
                return FAIL_FIELD(why, "reasonId", "none of the platform's reasons");
        if (is_number ? !json_add_int(body, key, number) : !json_add_text(body, key, given))
                return FAIL(why, ERR_NO_MEMORY, "no memory for a body");
        return ERR_OK;
}

static bool append(struct json_object *list, const char *id, const char *text)
{
        CLEAN(json_put_at) struct json_object *row = json_object_new_object();

        return row && json_add_text(row, "id", id) && json_add_text(row, "reason", text) &&
               json_append(list, TAKE(row));
}

struct json_object *reasons_known(const struct dialect *dialect, const struct order *order)
{
        CLEAN(json_put_at) struct json_object *list = json_object_new_array();

        for (const struct reason *r = dialect->reasons; r && r->id; r++)
                if (is_for(r, order) && !append(list, r->id, r->text))
                        return NULL;
        return TAKE(list);
}

/* UNSURE: what the text of Migros's reasons is called; the others' have one of these names. */
static const char *read_text(const struct view *row)
{
        static const char *const names[] = {"reason", "message", "name", "description"};
        const char *text = NULL;

        for (size_t i = 0; !text && i < sizeof names / sizeof *names; i++)
                if (view_opt_text(row, names[i], 1, REASON_TEXT_MAX, &text, NULL))
                        return NULL;
        return text;
}

static bool read_row(const struct view *row, struct json_object *list)
{
        const char *text = read_text(row), *id = NULL;
        char number[24];
        int64_t n = -1;

        if (!view_opt_int(row, "id", 0, INT64_MAX, &n, NULL) && n >= 0)
                snprintf(number, sizeof number, "%" PRId64, n);
        else if (view_need_text(row, "id", 1, CANCEL_REASON_SIZE - 1, &id, NULL) ||
                 !text_is_printable(id, 1, CANCEL_REASON_SIZE - 1))
                return false;
        return text && append(list, id ? id : number, text);
}

struct json_object *reasons_read(const struct dialect *dialect, const struct answer *answer)
{
        CLEAN(json_put_at) struct json_object *document = NULL;
        CLEAN(json_put_at) struct json_object *list = json_object_new_array();
        struct json_object *rows;
        struct view whole = {0}, row;

        if (!list || json_read_any(answer->body, answer->length, &document, NULL))
                return NULL;
        rows = json_object_is_type(document, json_type_object) ? json_find(document, "data") : document;
        if (!json_object_is_type(rows, json_type_array) || json_object_array_length(rows) > REASONS_MAX)
                return NULL;
        for (size_t i = 0; i < json_object_array_length(rows); i++)
                if (view_element(&whole, "data", rows, i, &row, NULL) || !read_row(&row, list))
                        return NULL;
        if (json_object_array_length(list) == 0 && !dialect->reasons_of_order)
                return NULL;
        return TAKE(list);
}
