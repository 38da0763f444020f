"""wrong passwords are paced by name, address and device

Revision: 0028
Follows: 0027
"""

import sqlalchemy as sa
from alembic import op

import core.db

revision = '0028'
down_revision = '0027'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('sign_in_pace',
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('free_at', core.db.UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_sign_in_pace'))
    )
    with op.batch_alter_table('sign_in_pace', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_sign_in_pace_free_at'), ['free_at'], unique=False)

    op.create_table('sign_in_device',
    sa.Column('device_hash', sa.String(), nullable=False),
    sa.Column('staff_id', sa.String(), nullable=False),
    sa.Column('at', core.db.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_sign_in_device_staff_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('device_hash', 'staff_id', name=op.f('pk_sign_in_device'))
    )
    with op.batch_alter_table('sign_in_device', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_sign_in_device_at'), ['at'], unique=False)
        batch_op.create_index(batch_op.f('ix_sign_in_device_staff_id'), ['staff_id'], unique=False)



def downgrade() -> None:
    with op.batch_alter_table('sign_in_device', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_sign_in_device_staff_id'))
        batch_op.drop_index(batch_op.f('ix_sign_in_device_at'))

    op.drop_table('sign_in_device')
    with op.batch_alter_table('sign_in_pace', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_sign_in_pace_free_at'))

    op.drop_table('sign_in_pace')
