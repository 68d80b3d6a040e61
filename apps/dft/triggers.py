"""What the database itself refuses, whoever asks: page, admin, program or raw SQL.

Every refusal names the rule that it broke. The application checks the same before, for a better sentence.
"""

from __future__ import annotations

import pgtrigger

HASH = "encode(sha256(convert_to(NEW.inputs, 'UTF8')), 'hex')"

CALCULATION_IS_WHAT_WAS_APPROVED = pgtrigger.Trigger(
    name="dft_gate",
    when=pgtrigger.Before,
    operation=pgtrigger.Insert | pgtrigger.Update,
    declare=[("root", "bigint")],
    func=f"""
        NEW.inputs_sha256 := {HASH};
        IF TG_OP = 'UPDATE' THEN
            IF (NEW.id, NEW.campaign_id, NEW.request_id, NEW.proposed_by_id, NEW.lineage_id)
                IS DISTINCT FROM (OLD.id, OLD.campaign_id, OLD.request_id, OLD.proposed_by_id, OLD.lineage_id) THEN
                RAISE EXCEPTION 'dft_gate: whose a calculation is, and who proposed it, never changes';
            END IF;
            IF NEW.inputs IS DISTINCT FROM OLD.inputs AND OLD.state <> 'PROPOSED' THEN
                RAISE EXCEPTION 'dft_gate: the inputs of a decided calculation are fixed';
            END IF;
            IF NEW.estimate IS DISTINCT FROM OLD.estimate AND OLD.state <> 'PROPOSED' THEN
                RAISE EXCEPTION 'dft_gate: the estimate of a decided calculation is fixed';
            END IF;
        ELSE
            SELECT r.campaign_id INTO root FROM dft_dftrequest r WHERE r.id = NEW.request_id;
            IF root IS DISTINCT FROM NEW.campaign_id THEN
                RAISE EXCEPTION 'dft_gate: a calculation belongs to the campaign of its request';
            END IF;
            WITH RECURSIVE up AS (
                SELECT c.id, c.cloned_from_id FROM campaigns_campaign c WHERE c.id = NEW.campaign_id
                UNION SELECT c.id, c.cloned_from_id FROM campaigns_campaign c JOIN up ON c.id = up.cloned_from_id
            ) SELECT id INTO root FROM up WHERE cloned_from_id IS NULL LIMIT 1;
            NEW.lineage_id := COALESCE(root, NEW.campaign_id);
        END IF;
        IF NEW.state IN ('APPROVED', 'DONE', 'FAILED') THEN
            PERFORM 1 FROM dft_approval a WHERE a.calculation_id = NEW.id AND a.inputs_sha256 = NEW.inputs_sha256
                AND a.answer = 'approve' AND a.voided_at IS NULL;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'dft_gate: no living approval of exactly these inputs';
            END IF;
            PERFORM 1 FROM dft_budgetentry e WHERE e.calculation_id = NEW.id AND e.kind = 'reserve';
            IF NOT FOUND THEN
                RAISE EXCEPTION 'dft_gate: nothing of the budget is reserved for it';
            END IF;
        END IF;
        IF NEW.state = 'DENIED' THEN
            PERFORM 1 FROM dft_approval a WHERE a.calculation_id = NEW.id AND a.inputs_sha256 = NEW.inputs_sha256
                AND a.answer = 'deny';
            IF NOT FOUND THEN
                RAISE EXCEPTION 'dft_gate: nobody denied these inputs';
            END IF;
        END IF;
        RETURN NEW;
    """,
)

IS_APPROVER = """
    SELECT 1 FROM accounts_user u LEFT JOIN campaigns_membership m
        ON m.user_id = u.id AND m.campaign_id = {campaign}
    WHERE u.id = {user} AND u.is_active AND (u.is_superuser OR 'approver' = ANY (m.roles))
"""

APPROVAL_IS_ENTITLED = pgtrigger.Trigger(
    name="dft_approval_entitled",
    when=pgtrigger.Before,
    operation=pgtrigger.Insert,
    declare=[("calc", "dft_dftcalculation%ROWTYPE"), ("allowed", "boolean"), ("balance", "double precision")],
    func=f"""
        SELECT c.* INTO calc FROM dft_dftcalculation c WHERE c.id = NEW.calculation_id FOR UPDATE;
        IF calc.state <> 'PROPOSED' THEN
            RAISE EXCEPTION 'dft_gate: it does not wait for a decision any more';
        END IF;
        IF NEW.inputs_sha256 <> calc.inputs_sha256 THEN
            RAISE EXCEPTION 'dft_gate: the inputs changed since they were shown';
        END IF;
        IF NEW.voided_at IS NOT NULL THEN
            RAISE EXCEPTION 'dft_gate: a decision begins alive';
        END IF;
        IF NOT EXISTS ({IS_APPROVER.format(campaign="calc.campaign_id", user="NEW.decided_by_id")}) THEN
            RAISE EXCEPTION 'dft_gate: only an approver of the campaign decides';
        END IF;
        IF NEW.answer = 'approve' THEN
            SELECT p.own_approval INTO allowed FROM dft_gatepolicy p WHERE p.campaign_id = calc.campaign_id;
            IF NEW.decided_by_id = calc.proposed_by_id AND NOT COALESCE(allowed, false) THEN
                RAISE EXCEPTION 'dft_gate: who proposed it may not approve it';
            END IF;
            PERFORM 1 FROM dft_approval a JOIN dft_dftcalculation d ON d.id = a.calculation_id
                WHERE a.answer = 'deny' AND a.inputs_sha256 = NEW.inputs_sha256 AND d.lineage_id = calc.lineage_id;
            IF FOUND THEN
                RAISE EXCEPTION 'dft_gate: these inputs were denied, and that is final';
            END IF;
            IF NEW.grant_id IS NOT NULL THEN
                PERFORM 1 FROM dft_budgetgrant g JOIN dft_dftrequest r ON r.id = calc.request_id
                    WHERE g.id = NEW.grant_id AND g.campaign_id = calc.campaign_id AND g.automatic
                    AND g.revoked_at IS NULL AND g.granted_by_id = NEW.decided_by_id AND r.purpose = 'label';
                IF NOT FOUND THEN
                    RAISE EXCEPTION 'dft_gate: no living grant lets this be approved by itself';
                END IF;
            END IF;
            PERFORM 1 FROM campaigns_campaign c WHERE c.id = calc.campaign_id FOR UPDATE;
            SELECT COALESCE(SUM(e.core_hours), 0) INTO balance FROM dft_budgetentry e
                WHERE e.campaign_id = calc.campaign_id;
            IF balance <= 0 OR balance + 1e-9 < calc.estimate THEN
                RAISE EXCEPTION 'dft_gate: the budget does not cover it';
            END IF;
        END IF;
        RETURN NEW;
    """,
)

APPROVAL_STAYS = pgtrigger.Trigger(
    name="dft_approval_stays",
    when=pgtrigger.Before,
    operation=pgtrigger.Update | pgtrigger.Delete,
    func="""
        IF TG_OP = 'DELETE' THEN
            RAISE EXCEPTION 'dft_gate: a decision is never deleted';
        END IF;
        IF OLD.voided_at IS NOT NULL OR NEW.voided_at IS NULL OR OLD.answer = 'deny'
            OR (NEW.id, NEW.calculation_id, NEW.inputs_sha256, NEW.answer, NEW.decided_by_id, NEW.grant_id, NEW.batch,
                NEW.reason, NEW.created_at)
            IS DISTINCT FROM (OLD.id, OLD.calculation_id, OLD.inputs_sha256, OLD.answer, OLD.decided_by_id,
                OLD.grant_id, OLD.batch, OLD.reason, OLD.created_at) THEN
            RAISE EXCEPTION 'dft_gate: a decision is never changed, an approval only voided';
        END IF;
        RETURN NEW;
    """,
)

LEDGER_ADDS_UP = pgtrigger.Trigger(
    name="dft_ledger",
    when=pgtrigger.Before,
    operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
    declare=[("found_hours", "double precision")],
    func="""
        IF TG_OP <> 'INSERT' THEN
            RAISE EXCEPTION 'dft_gate: the ledger only grows';
        END IF;
        IF NEW.kind = 'grant' THEN
            SELECT g.core_hours INTO found_hours FROM dft_budgetgrant g
                WHERE g.id = NEW.grant_id AND g.campaign_id = NEW.campaign_id AND g.revoked_at IS NULL;
            IF found_hours IS DISTINCT FROM NEW.core_hours THEN
                RAISE EXCEPTION 'dft_gate: core-hours come from a grant';
            END IF;
            PERFORM 1 FROM dft_budgetentry e WHERE e.grant_id = NEW.grant_id AND e.kind = 'grant';
            IF FOUND THEN
                RAISE EXCEPTION 'dft_gate: a grant counts once';
            END IF;
        ELSIF NEW.kind = 'release' THEN
            SELECT -COALESCE(SUM(e.core_hours), 0) INTO found_hours FROM dft_budgetentry e
                WHERE e.calculation_id = NEW.calculation_id AND e.kind IN ('reserve', 'release');
            IF NEW.core_hours < 0 OR NEW.core_hours > COALESCE(found_hours, 0) + 1e-9 THEN
                RAISE EXCEPTION 'dft_gate: no more is released than was reserved';
            END IF;
        ELSIF NEW.core_hours > 0 THEN
            RAISE EXCEPTION 'dft_gate: only a grant or a release adds core-hours';
        END IF;
        IF NEW.calculation_id IS NOT NULL THEN
            PERFORM 1 FROM dft_dftcalculation c WHERE c.id = NEW.calculation_id AND c.campaign_id = NEW.campaign_id;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'dft_gate: an entry is of the campaign of its calculation';
            END IF;
        END IF;
        RETURN NEW;
    """,
)

GRANT_IS_ENTITLED = pgtrigger.Trigger(
    name="dft_grant_entitled",
    when=pgtrigger.Before,
    operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
    func=f"""
        IF TG_OP = 'DELETE' THEN
            RAISE EXCEPTION 'dft_gate: a grant is never deleted';
        END IF;
        IF TG_OP = 'UPDATE' THEN
            IF (NEW.id, NEW.campaign_id, NEW.core_hours, NEW.automatic, NEW.granted_by_id)
                IS DISTINCT FROM (OLD.id, OLD.campaign_id, OLD.core_hours, OLD.automatic, OLD.granted_by_id)
                OR OLD.revoked_at IS NOT NULL THEN
                RAISE EXCEPTION 'dft_gate: a grant is never changed, only revoked';
            END IF;
            RETURN NEW;
        END IF;
        IF NOT EXISTS ({IS_APPROVER.format(campaign="NEW.campaign_id", user="NEW.granted_by_id")}) THEN
            RAISE EXCEPTION 'dft_gate: only an approver of the campaign grants core-hours';
        END IF;
        RETURN NEW;
    """,
)

JOB_HAS_ITS_APPROVAL = pgtrigger.Trigger(
    name="dft_job_gate",
    when=pgtrigger.Before,
    operation=pgtrigger.Insert | pgtrigger.Update,
    condition=pgtrigger.Condition(
        "NEW.kind IN ('calculate', 'check_upload') AND NEW.state IN ('QUEUED', 'RUNNING', 'WAITING')"
    ),
    func="""
        IF TG_OP = 'UPDATE'
            AND (NEW.kind, NEW.units, NEW.params) IS DISTINCT FROM (OLD.kind, OLD.units, OLD.params) THEN
            RAISE EXCEPTION 'dft_gate: what a DFT job computes never changes';
        END IF;
        IF jsonb_array_length(NEW.units) <> 1 THEN
            RAISE EXCEPTION 'dft_gate: a DFT job is one calculation';
        END IF;
        PERFORM 1 FROM dft_dftcalculation c JOIN dft_approval a ON a.calculation_id = c.id
            WHERE c.id::text = NEW.units->>0 AND c.state = 'APPROVED' AND a.voided_at IS NULL
            AND a.answer = 'approve' AND a.inputs_sha256 = c.inputs_sha256
            AND NEW.params->>'inputs_sha256' = c.inputs_sha256;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'dft_gate: no job without its approved calculation';
        END IF;
        RETURN NEW;
    """,
)
"""A change of kind on a job that exists is caught too: the condition looks at what the row becomes."""

POLICY_IS_OF_AN_ADMIN = pgtrigger.Trigger(
    name="dft_policy_admin",
    when=pgtrigger.Before,
    operation=pgtrigger.Insert | pgtrigger.Update,
    func="""
        PERFORM 1 FROM accounts_user u LEFT JOIN campaigns_membership m
            ON m.user_id = u.id AND m.campaign_id = NEW.campaign_id
            JOIN campaigns_campaign c ON c.id = NEW.campaign_id
            WHERE u.id = NEW.changed_by_id AND u.is_active
            AND (u.is_superuser OR c.owner_id = u.id OR 'admin' = ANY (m.roles));
        IF NOT FOUND THEN
            RAISE EXCEPTION 'dft_gate: only an admin of the campaign changes who may approve';
        END IF;
        RETURN NEW;
    """,
)
