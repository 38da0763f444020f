"""words have versions, numbers are verified, answers and campaigns are kept

Revision: 0017
Follows: 0016
"""

import sqlalchemy as sa
from alembic import op

import core.db

revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('campaign',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('group_kind', sa.String(), nullable=False),
    sa.Column('group_detail', sa.JSON(), nullable=False),
    sa.Column('words', sa.JSON(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('total', sa.Integer(), nullable=False),
    sa.Column('skipped', sa.Integer(), nullable=False),
    sa.Column('parts', sa.Integer(), nullable=False),
    sa.Column('written', sa.Integer(), nullable=False),
    sa.Column('created_by', sa.String(), nullable=False),
    sa.Column('created_at', core.db.UtcDateTime(), nullable=False),
    sa.Column('proposed_at', core.db.UtcDateTime(), nullable=True),
    sa.Column('decided_by', sa.String(), nullable=True),
    sa.Column('decided_at', core.db.UtcDateTime(), nullable=True),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('started_at', core.db.UtcDateTime(), nullable=True),
    sa.Column('finished_at', core.db.UtcDateTime(), nullable=True),
    sa.Column('changed_at', core.db.UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_campaign'))
    )

    with op.batch_alter_table('campaign', schema=None) as batch_op:
        batch_op.create_index('ix_campaign_state', ['state', 'changed_at'], unique=False)

    op.create_table('dialogue',
    sa.Column('number', sa.String(), nullable=False),
    sa.Column('question', sa.String(), nullable=False),
    sa.Column('detail', sa.JSON(), nullable=False),
    sa.Column('expires_at', core.db.UtcDateTime(), nullable=True),
    sa.Column('window_at', core.db.UtcDateTime(), nullable=True),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.Column('warned_at', core.db.UtcDateTime(), nullable=True),
    sa.Column('helped_at', core.db.UtcDateTime(), nullable=True),
    sa.Column('seen_at', core.db.UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('number', name=op.f('pk_dialogue'))
    )

    with op.batch_alter_table('dialogue', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_dialogue_seen_at'), ['seen_at'], unique=False)

    op.create_table('number_code',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('number', sa.String(), nullable=False),
    sa.Column('owner_id', sa.String(), nullable=False),
    sa.Column('device', sa.String(), nullable=False),
    sa.Column('place', sa.String(), nullable=False),
    sa.Column('code_hash', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('made_at', core.db.UtcDateTime(), nullable=False),
    sa.Column('expires_at', core.db.UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_number_code'))
    )

    with op.batch_alter_table('number_code', schema=None) as batch_op:
        batch_op.create_index('ix_number_code_device', ['device', 'made_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_number_code_made_at'), ['made_at'], unique=False)
        batch_op.create_index('ix_number_code_number', ['number', 'made_at'], unique=False)

    op.create_table('phone_number',
    sa.Column('number', sa.String(), nullable=False),
    sa.Column('language', sa.String(), nullable=True),
    sa.Column('stopped_at', core.db.UtcDateTime(), nullable=True),
    sa.Column('campaigns_at', core.db.UtcDateTime(), nullable=True),
    sa.Column('changed_at', core.db.UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('number', name=op.f('pk_phone_number'))
    )

    with op.batch_alter_table('phone_number', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_phone_number_campaigns_at'), ['campaigns_at'], unique=False)

    op.create_table('verified_number',
    sa.Column('number', sa.String(), nullable=False),
    sa.Column('owner_id', sa.String(), nullable=False),
    sa.Column('place', sa.String(), nullable=False),
    sa.Column('at', core.db.UtcDateTime(), nullable=False),
    sa.Column('by_staff', sa.String(), nullable=True),
    sa.PrimaryKeyConstraint('number', 'owner_id', name=op.f('pk_verified_number'))
    )

    with op.batch_alter_table('verified_number', schema=None) as batch_op:
        batch_op.create_index('ix_verified_number_owner', ['owner_id'], unique=False)

    op.create_table('wording',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('template', sa.String(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('words', sa.JSON(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('written_by', sa.String(), nullable=False),
    sa.Column('written_at', core.db.UtcDateTime(), nullable=False),
    sa.Column('proposed_at', core.db.UtcDateTime(), nullable=True),
    sa.Column('decided_by', sa.String(), nullable=True),
    sa.Column('decided_at', core.db.UtcDateTime(), nullable=True),
    sa.Column('reason', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_wording')),
    sa.UniqueConstraint('template', 'version', name=op.f('uq_wording_template_version'))
    )

    with op.batch_alter_table('wording', schema=None) as batch_op:
        batch_op.create_index('ix_wording_state', ['state', 'template'], unique=False)
        batch_op.create_index('uq_wording_in_force', ['template'], unique=True, sqlite_where=sa.text("state = 'in_force'"), postgresql_where=sa.text("state = 'in_force'"))

    op.create_table('campaign_recipient',
    sa.Column('campaign_id', sa.String(), nullable=False),
    sa.Column('number', sa.String(), nullable=False),
    sa.Column('language', sa.String(), nullable=False),
    sa.Column('owner_id', sa.String(), nullable=True),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('why', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaign.id'], name=op.f('fk_campaign_recipient_campaign_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('campaign_id', 'number', name=op.f('pk_campaign_recipient'))
    )

    with op.batch_alter_table('campaign_recipient', schema=None) as batch_op:
        batch_op.create_index('ix_campaign_recipient_state', ['campaign_id', 'state', 'number'], unique=False)

    op.create_table('inbound_answer',
    sa.Column('inbound_id', sa.String(), nullable=False),
    sa.Column('number', sa.String(), nullable=False),
    sa.Column('command', sa.String(), nullable=False),
    sa.Column('outcome', sa.String(), nullable=False),
    sa.Column('needs_person', sa.Boolean(), nullable=False),
    sa.Column('at', core.db.UtcDateTime(), nullable=False),
    sa.Column('done_by', sa.String(), nullable=True),
    sa.Column('done_at', core.db.UtcDateTime(), nullable=True),
    sa.Column('note', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['inbound_id'], ['inbound_text.id'], name=op.f('fk_inbound_answer_inbound_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('inbound_id', name=op.f('pk_inbound_answer'))
    )

    with op.batch_alter_table('inbound_answer', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_inbound_answer_at'), ['at'], unique=False)
        batch_op.create_index('ix_inbound_answer_number', ['number', 'at'], unique=False)
        batch_op.create_index('ix_inbound_answer_open', ['needs_person', 'done_at', 'at'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('inbound_answer', schema=None) as batch_op:
        batch_op.drop_index('ix_inbound_answer_open')
        batch_op.drop_index('ix_inbound_answer_number')
        batch_op.drop_index(batch_op.f('ix_inbound_answer_at'))
    op.drop_table('inbound_answer')
    with op.batch_alter_table('campaign_recipient', schema=None) as batch_op:
        batch_op.drop_index('ix_campaign_recipient_state')
    op.drop_table('campaign_recipient')
    with op.batch_alter_table('wording', schema=None) as batch_op:
        batch_op.drop_index('uq_wording_in_force', sqlite_where=sa.text("state = 'in_force'"), postgresql_where=sa.text("state = 'in_force'"))
        batch_op.drop_index('ix_wording_state')
    op.drop_table('wording')
    with op.batch_alter_table('verified_number', schema=None) as batch_op:
        batch_op.drop_index('ix_verified_number_owner')
    op.drop_table('verified_number')
    with op.batch_alter_table('phone_number', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_phone_number_campaigns_at'))
    op.drop_table('phone_number')
    with op.batch_alter_table('number_code', schema=None) as batch_op:
        batch_op.drop_index('ix_number_code_number')
        batch_op.drop_index(batch_op.f('ix_number_code_made_at'))
        batch_op.drop_index('ix_number_code_device')
    op.drop_table('number_code')
    with op.batch_alter_table('dialogue', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_dialogue_seen_at'))
    op.drop_table('dialogue')
    with op.batch_alter_table('campaign', schema=None) as batch_op:
        batch_op.drop_index('ix_campaign_state')
    op.drop_table('campaign')
