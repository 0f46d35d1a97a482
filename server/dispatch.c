/* SPDX-License-Identifier: Apache-2.0 */
/* dispatch.c - what is special about calling a courier firm: whose address and secrets they are, whether its host has
 * room, and what becomes of a firm that wants to hear no more.
 *
 * Which host it is shows only after the claim. Where that has no room, the claim is put off for a while rather than given
 * back, so that what waits for one host does not stand for ever before what is owed to others. */
#include "server/errand.h"

#include "server/log.h"

static bool refuse(struct judgement *ret, enum verdict verdict, const char *reason)
{
        judge(ret, verdict, reason);
        return false;
}

static bool put_off(struct judgement *ret, int64_t wait_ms)
{
        judge(ret, VERDICT_NOTHING, "");
        ret->wait_ms = wait_ms;
        return false;
}

/* Once a claim: the integration is as it was claimed. */
static enum err open_firm(struct errand *errand, struct why *why)
{
        const struct outbound *o = errand->outbound;

        if (errand->dispatch.url)
                return ERR_OK;
        return integration_open(&errand->claim.account, o->options.keyring, store_now(o->store),
                                &errand->dispatch, why);
}

bool dispatch_open(struct errand *errand, struct judgement *ret)
{
        const struct record *firm = &errand->claim.account;
        const bool cancels = errand->step->number == STEP_OF(STATUS_CANCELLED);
        const int64_t now_ms = time_boot_ms();
        struct lane *lane;
        struct why why;

        if (errand->claim.order->erased_ms && !cancels)
                return refuse(ret, VERDICT_GIVE_UP, "erased");
        if (!firm->document)
                return cancels ? refuse(ret, VERDICT_NOTHING, "")
                               : refuse(ret, VERDICT_GIVE_UP, "not_connected");
        if (!integration_has_url(firm))
                return refuse(ret, VERDICT_GIVE_UP, "not_connected");
        if (open_firm(errand, &why) != ERR_OK) {
                log_limited(LOG_ERROR, "credentials_unreadable",
                            LOG_ID("restaurantId", &errand->claim.due.restaurant),
                            LOG_TEXT("reason", why.text));
                return refuse(ret, VERDICT_GIVE_UP, "credentials_unreadable");
        }
        if (cancels && !errand->dispatch.notify_cancel)
                return refuse(ret, VERDICT_NOTHING, "");
        if (!integration_can_dispatch(firm))
                return refuse(ret, VERDICT_GIVE_UP, "not_connected");
        if (errand->lane)
                return true;
        lane = host_lane(errand->outbound, errand->dispatch.url);
        if (!lane || lane_room(lane, now_ms) == 0)
                return put_off(ret, lane ? lane_wait_ms(lane, now_ms) : LANE_WAIT_MS);
        errand_enter(errand, lane);
        return true;
}

/* --- 410 --- */

void dispatch_gone(struct errand *errand)
{
        const struct record *firm = &errand->claim.account;

        log_limited(LOG_WARN, "dispatch_gone", LOG_ID("restaurantId", &errand->claim.due.restaurant),
                    LOG_CAUSE("integrationId", firm->id));
        outbound_note(errand->outbound, firm, integration_gone, &firm->rev, sizeof firm->rev);
}
