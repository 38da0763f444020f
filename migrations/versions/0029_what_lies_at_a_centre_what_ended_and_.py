"""what lies at a centre, what ended and what was proposed each have their index

Revision: 0029
Follows: 0028
"""

from alembic import op

revision = '0029'
down_revision = '0028'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('petition', schema=None) as batch_op:
        batch_op.create_index('ix_petition_ended', ['settled_at'], unique=False)
        batch_op.create_index('ix_petition_lies', ['centre_id', 'state', 'changed_at'], unique=False)

    with op.batch_alter_table('urgent_proposal', schema=None) as batch_op:
        batch_op.create_index('ix_urgent_proposal_waiting', ['decided_at', 'petition_id'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('urgent_proposal', schema=None) as batch_op:
        batch_op.drop_index('ix_urgent_proposal_waiting')

    with op.batch_alter_table('petition', schema=None) as batch_op:
        batch_op.drop_index('ix_petition_lies')
        batch_op.drop_index('ix_petition_ended')
